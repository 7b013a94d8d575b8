#pragma once
// What is asked beyond the metrics, of COCO data from anywhere: `metrics` and `val` alike.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "evaluation/analyses/bootstrap.hpp"
#include "evaluation/analyses/breakdown.hpp"
#include "evaluation/analyses/error_analysis.hpp"

namespace yolov7::evaluation {

struct AnalysisOptions {
  int draws = 0, seed = 0;  ///< of the bootstrap; 0 draws = off
  bool calibration = false, errors = false, breakdown = false;
  bool error_list = false;  ///< errors.json will be written: of many detections it is long
  ErrorAnalysisOptions tide;
  std::stop_token stop = {};
};
std::vector<Setting> settings(AnalysisOptions& options);

struct Analyses {
  AnalysisOptions options;
  std::optional<HeadlineIntervals> intervals;
  std::optional<Calibration> calibration;
  std::optional<ErrorAnalysis> errors;
  std::optional<Breakdown> breakdown;
  nlohmann::json json() const;  ///< an object with what was asked for: bootstrap, calibration,
                                ///< errors, thresholds, breakdown
  std::vector<std::string> lines() const;  ///< for people
  /// calibration.png, errors.png and errors.json (every error with its boxes), thresholds.csv,
  /// breakdown.csv, where asked for.
  void write(const std::filesystem::path& folder) const;
  std::string error_list;  ///< JSON; empty unless wanted
};
/// The names that Analyses::write() may use.
std::vector<std::string> analysis_files(const AnalysisOptions& options);
/// Left out with a warning: the calibration where a score is not within 0 … 1, the breakdown where
/// one is below 0.
Analyses analyse(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                 const CocoOptions& coco, const AnalysisOptions& options);

nlohmann::json to_json(const Interval& interval);

}  // namespace yolov7::evaluation
