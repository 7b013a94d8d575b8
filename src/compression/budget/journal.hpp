#pragma once
// What of a long run is done: a file that is written anew after each stage, so that a run that was
// killed goes on behind the last one. It knows with what the run began, by hashes and settings, and
// what each stage wrote.
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace yolov7::compression {

/// What a run was begun with: a name for people ("--epochs", "the images and labels of the val
/// split") and a value, a hash or a text.
using Beginning = std::map<std::string, std::string>;

class Journal {
 public:
  /// Goes on with the file, or begins it (it is written then). Errors: it is of another beginning,
  /// with the first difference by name; it is no journal.
  Journal(std::filesystem::path file, const Beginning& beginning, std::stop_token stop = {});

  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Whether stages are done already.
  bool resumed() const { return resumed_; }
  /// What a finished stage found; nothing: it is not done. Error: a file that it wrote is gone or
  /// was changed.
  std::optional<nlohmann::json> found(const std::string& stage) const;
  /// Written before this returns. `files`: what the stage wrote, below the journal's folder; of a
  /// folder every file in it.
  void finish(const std::string& stage, const nlohmann::json& found,
              const std::vector<std::filesystem::path>& files = {});

 private:
  void write() const;

  std::filesystem::path file_;
  std::stop_token stop_;
  std::unique_ptr<nlohmann::json> content_;
  bool resumed_ = false;
};

}  // namespace yolov7::compression
