#pragma once
// COCO files, read: ground truth and results, from any program.
#include <filesystem>
#include <vector>

#include "evaluation/metrics/coco.hpp"

namespace yolov7::evaluation {

/// Errors name the file and the element ("gt.json: annotations[17]: …"): syntax with line and
/// column, missing key, wrong type, a number that is not finite, a bbox that is not of four numbers
/// or of negative size, an id that stands twice, an annotation on a picture or of a category that
/// is not listed. Keys that box metrics do not need are not looked at; without "iscrowd" an
/// annotation is no crowd. Picture ids may be whole numbers or texts. Taken as other programs write
/// them: whole numbers as 1.0; and, each with one warning a file: ids that are texts of digits,
/// annotations without "area" (width times height).
CocoGroundTruth read_ground_truth(const std::filesystem::path& path);
/// Errors as above, and a picture that the ground truth does not know. Categories that it does not
/// list are kept here and take no part in the metrics. A list, or an object with the list under
/// "annotations" (a warning says so).
std::vector<CocoDetection> read_detections(const std::filesystem::path& path,
                                           const CocoGroundTruth& ground_truth);

}  // namespace yolov7::evaluation
