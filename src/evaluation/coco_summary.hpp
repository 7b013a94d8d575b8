#pragma once
// The well-known numbers out of precision and recall.
#include "evaluation/coco.hpp"

namespace yolov7::evaluation {

/// Fills stats and the AP of each category.
void summarize(CocoResult& result);

}  // namespace yolov7::evaluation
