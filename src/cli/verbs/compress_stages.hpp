#pragma once
// The stages of compress that make networks: each is this program with another verb, as a process
// of its own, whose result stays in the folder and in the journal.
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/verbs/compress_options.hpp"
#include "compression/budget/journal.hpp"

namespace yolov7::cli {

/// A network that is tried: the parent, or what pruning made of it.
struct TriedNetwork {
  std::string name;                ///< "parent", "time-35", "ratio-0.3"
  std::vector<std::string> cut{};  ///< {"--target-time", "-35%"}; empty: the parent
  std::filesystem::path folder{}, weights{};
  std::string refusal{};             ///< why there is no such network; "" = there is
  std::filesystem::path integers{};  ///< its model file in 8-bit integers; empty = none …
  std::string no_integers{};         ///< … and why
  std::vector<std::filesystem::path> integer_files{};  ///< all that quantize wrote
};

/// The parent and what is to be cut. Error (usage): the same twice.
std::vector<TriedNetwork> networks_to_try(const CompressOptions& options);

class CompressStages {
 public:
  /// `given`: names of the options on the command line, which go to the verbs that have them.
  CompressStages(const CompressOptions& options, std::vector<std::string> given, int image_size,
                 int epochs, compression::Journal& journal);
  ~CompressStages();
  CompressStages(const CompressStages&) = delete;
  CompressStages& operator=(const CompressStages&) = delete;

  /// Copies the parent, or prunes it and trains the result further. A target that cannot be reached
  /// leaves `refusal`. Errors: whatever else goes wrong, with the stage and its log;
  /// stopped_error(), a training being resumable then.
  void make(TriedNetwork& network);
  /// Within so much mAP less than the network itself has. A budget that cannot be kept leaves
  /// `no_integers`. Errors as make().
  void quantize(TriedNetwork& network, double budget);
  /// Puts the network and, where `integers`, its model files into the folder chosen.
  void choose(const TriedNetwork& network, bool integers);
  /// Removes what an earlier call had put there.
  void choose_none();

  /// Of the stages so far: name, command, seconds, refusal.
  const nlohmann::json& done() const { return *done_; }

 private:
  using Files = std::vector<std::filesystem::path>;
  std::string run(const std::string& stage, const std::filesystem::path& base,
                  const std::vector<std::string>& words, const Files& files);
  void prune(TriedNetwork& network);
  void train(TriedNetwork& network);
  std::vector<std::string> training_words(const TriedNetwork& network) const;
  nlohmann::json record(const std::string& stage, const std::vector<std::string>& words,
                        double seconds, const std::string& refusal);

  CompressOptions o_;
  std::vector<std::string> given_;
  int image_size_, epochs_;
  compression::Journal& journal_;
  std::unique_ptr<nlohmann::json> done_;
};

}  // namespace yolov7::cli
