#pragma once
// What the candidates of compress reach and how fast they are: all on the same images, all times in
// one run by turns.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/verbs/model_accuracy.hpp"
#include "compression/budget/choice.hpp"

namespace yolov7::cli {

/// A candidate with its file, and what else the report tells of it.
struct CompressCandidate {
  compression::Candidate figures;
  std::filesystem::path file{};      ///< that detect and val take; empty = none
  std::uint64_t bytes = 0;           ///< of the file, or of all files of the folder
  std::int64_t parameters = 0;       ///< of the network as it is stored
  double map_low = 0, map_high = 0;  ///< interval of its own mAP
  std::vector<double> class_ap{};    ///< by class of the data; −1: a class without objects
};

/// `parent`: in float32, for the change of each class.
nlohmann::json to_json(const CompressCandidate& candidate, const CompressCandidate& parent,
                       const std::vector<std::string>& names);

class CompressMeter {
 public:
  struct Request {
    std::string weights, data, split;
    int image_size = 640, draws = 1000, threads = 1;
    double budget = 0.01, seconds = 3;
  };
  /// Opens the parent and the split. Errors: those of prepare_measurement(), a split without
  /// labels.
  explicit CompressMeter(const Request& request);

  const Request& request() const { return request_; }
  const dataset::Index& index() const { return measurement_.index; }
  const std::string& data_account() const { return measurement_.data_account; }

  /// mAP of the candidate and its change against the parent; leaves the reason in `missing` where
  /// the processor has no such numbers, or some rows of the predictions are not finite.
  void measure_accuracy(CompressCandidate& candidate);
  /// Times of all that are measured, by turns.
  void measure_speed(std::vector<CompressCandidate>& candidates) const;

  /// What the journal keeps of an accuracy.
  static nlohmann::json kept(const CompressCandidate& candidate);
  void take_kept(const nlohmann::json& kept, CompressCandidate& candidate) const;

 private:
  const MeasuredModel& parent();

  Request request_;
  Measurement measurement_;
  std::optional<MeasuredModel> parent_;  // where something is compared with it in this call
};

}  // namespace yolov7::cli
