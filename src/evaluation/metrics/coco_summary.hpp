#pragma once
// The well-known numbers out of precision and recall.
#include "evaluation/metrics/coco_data.hpp"

namespace yolov7::evaluation {

/// Fills stats and the AP of each category.
void summarize(CocoResult& result);

/// The twelve lines as pycocotools prints them.
std::vector<std::string> summary_lines(const CocoResult& result);

}  // namespace yolov7::evaluation
