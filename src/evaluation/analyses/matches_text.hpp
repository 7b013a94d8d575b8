#pragma once
// What a detector found on the measured images as a text: all that its mAP on any draw of the
// images needs, and nothing else.
#include <string>

#include "evaluation/metrics/coco.hpp"

namespace yolov7::evaluation {

/// A line for the number of images; one for each class with the images of its objects; one for each
/// detection by falling score: image, IoU thresholds at which it took an object, those at which it
/// takes no part (bits). Scores are left out, and so are the last detections of a class that took
/// nothing: neither changes a metric.
std::string matches_text(const CocoMatches& matches);
/// Error: it is none, naming `where`.
CocoMatches parse_matches(const std::string& text, const std::string& where);

}  // namespace yolov7::evaluation
