#pragma once
// What of a labelling loop is done: loop.json in the loop's folder, written anew after each step.
// A round is one choice of images, their tasks, what people gave back, the version that came of it,
// and the training and its evaluation. Each step of it is done when the file says so; one that was
// broken off is done again, and makes nothing twice.
#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/file.hpp"

namespace yolov7::loop {

enum class Step { select, push, pull, merge, train, evaluate };
inline constexpr std::array<const char*, 6> step_names = {"select", "push",  "pull",
                                                          "merge",  "train", "evaluate"};

struct Beginning {
  std::string name;             ///< of the labelled data set in the store
  std::filesystem::path store;  ///< absolute
  std::string start;            ///< its version at the start, "name@<64 digits>"
  std::string source = {};      ///< what was named as labelled; "": not known
};

class State {
 public:
  /// To look at. Error: no loop in the folder; a file of another form.
  static State read(const std::filesystem::path& folder);
  /// To go on. Errors as read(); another process is at work in the folder.
  static State open(const std::filesystem::path& folder);
  static bool exists(const std::filesystem::path& folder);
  /// Error: the folder holds a loop already, or something else.
  static void require_new(const std::filesystem::path& folder);
  /// A new loop; the folder is made. Errors: those of require_new().
  static State begin(const std::filesystem::path& folder, const Beginning& beginning);
  State(State&&) noexcept;
  ~State();

  const std::filesystem::path& folder() const { return folder_; }
  Beginning beginning() const;
  /// Words of the command line that the loop keeps, such as its options.
  std::vector<std::string> arguments() const;
  void set_arguments(const std::vector<std::string>& words);

  int rounds() const;  ///< the last one's number; 0 = none yet
  int begin_round();
  std::filesystem::path round_folder(int round) const;  ///< absolute
  bool done(int round, Step step) const;
  /// What a finished step found. Error: it is not done.
  const nlohmann::json& found(int round, Step step) const;
  /// On the disk when the call returns.
  void finish(int round, Step step, const nlohmann::json& found);
  /// The newest labelled version: that of the merge that was done last, of whatever round, else the
  /// start.
  std::string labelled() const;
  /// Weights of the last training; nothing: none yet.
  std::optional<std::string> weights() const;

  const nlohmann::json& content() const { return *content_; }

 private:
  State(std::filesystem::path folder, bool lock);
  void write();
  std::filesystem::path folder_;
  std::optional<file::Lock> lock_;
  std::unique_ptr<nlohmann::json> content_;
};

/// Places between which a process may end: YOLOV7_FAILPOINTS=loop-kill=N ends it at the Nth
/// (SIGKILL).
void passing();

}  // namespace yolov7::loop
