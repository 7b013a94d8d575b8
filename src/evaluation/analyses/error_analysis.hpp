#pragma once
// What keeps a detector's AP down, in the manner of TIDE (Bolya et al., "TIDE: A General Toolbox
// for Identifying Object Detection Errors", ECCV 2020; evaluation 6.1): each false positive gets
// one type, and each type its dAP, the AP50 that repairing these errors alone would add.
#include <array>
#include <string>
#include <vector>

#include "evaluation/metrics/coco.hpp"

namespace yolov7::evaluation {

enum class ErrorType { classification, localization, both, duplicate, background, missed };
inline constexpr std::size_t error_types = 6;
/// "Cls", "Loc", "Both", "Dupe", "Bkg", "Miss".
const char* error_name(ErrorType type);

struct ErrorAnalysisOptions {
  double foreground = 0.5, background = 0.1;  ///< IoU thresholds
  int max_detections = 100;                   ///< per picture, of all classes
};

/// One error. A missed object has no detection, a duplicate and the like no object.
struct DetectionError {
  ErrorType type;
  std::ptrdiff_t detection = -1;  ///< index into the detections
  std::ptrdiff_t annotation =
      -1;  ///< index into the annotations: the object that it was meant for, or that was missed
};

struct ErrorAnalysis {
  ErrorAnalysisOptions options;
  double ap = 0;  ///< AP at the foreground threshold in per cent; classes without objects but with
                  ///< detections count as 0
  std::array<double, error_types> dap{};            ///< per cent, by ErrorType
  double false_positives = 0, false_negatives = 0;  ///< dAP of the two special errors
  std::vector<DetectionError>
      errors;  ///< by picture, detections by falling score, missed objects last
  std::size_t count(ErrorType type) const;
};

/// Of COCO data; crowds are regions to ignore. Detections on unknown pictures: Error; of unknown
/// categories: left out. Error: a background threshold above the foreground's.
ErrorAnalysis analyse_errors(const CocoGroundTruth& truth,
                             const std::vector<CocoDetection>& detections,
                             const ErrorAnalysisOptions& options = {});

/// The table for people.
std::vector<std::string> error_lines(const ErrorAnalysis& analysis);

}  // namespace yolov7::evaluation
