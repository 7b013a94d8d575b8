#pragma once
// Whether a faster precision finds the same objects.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/detect.hpp"

namespace yolov7::runtime {

struct PrecisionVerdict {
  bool same = false;
  double speed = 0;    ///< times as fast as float32; 0 if not measured
  std::string reason;  ///< one line for people
};

/// Boxes of two precisions on the same pictures: each box of one needs a box of the other with the
/// same class, IoU ≥ 0.9 and a score within 0.03, apart from those within 0.03 of the threshold,
/// which may be there or not. The scores of bfloat16 carry eight bits, and errors add up over some
/// hundred layers; more than that is another result. Nothing found is no evidence.
PrecisionVerdict compare_boxes(std::span<const DetectResult> reference,
                               std::span<const DetectResult> candidate, double conf_thres);

/// compare_boxes() over `pictures`, and the times of both (medians of five calls each, taken in
/// turn).
PrecisionVerdict judge_precision(Detector& reference, Detector& candidate,
                                 std::span<const cv::Mat> pictures, const LookOptions& options);

}  // namespace yolov7::runtime
