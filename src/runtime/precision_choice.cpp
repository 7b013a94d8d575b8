#include "runtime/precision_choice.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/statistics.hpp"
#include "runtime/detect_all.hpp"

namespace yolov7::runtime {
namespace {

constexpr double least_iou = 0.9, most_score_change = 0.03;

/// Boxes of `a` that have no partner in `b`.
std::size_t without_partner(const std::vector<Detection>& a, const std::vector<Detection>& b,
                            double conf_thres) {
  std::vector<unsigned char> taken(b.size(), 0);
  std::size_t alone = 0;
  for (const Detection& one : a) {
    std::size_t best = b.size();
    double most = least_iou;
    for (std::size_t j = 0; j < b.size(); ++j)
      if (!taken[j] && b[j].class_index == one.class_index &&
          std::abs(b[j].score - one.score) <= most_score_change)
        if (const double o = iou(b[j].box, one.box); o >= most) most = o, best = j;
    if (best < b.size())
      taken[best] = 1;
    else if (one.score > conf_thres + most_score_change)
      ++alone;
  }
  return alone;
}

}  // namespace

PrecisionVerdict compare_boxes(std::span<const DetectResult> reference,
                               std::span<const DetectResult> candidate, double conf_thres) {
  PrecisionVerdict verdict;
  std::size_t boxes = 0, different = 0, not_finite = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    boxes += reference[i].detections.size();
    different += without_partner(reference[i].detections, candidate[i].detections, conf_thres) +
                 without_partner(candidate[i].detections, reference[i].detections, conf_thres);
    not_finite += candidate[i].dropped_not_finite;
  }
  verdict.same = boxes > 0 && different == 0 && not_finite == 0;
  if (boxes == 0)
    verdict.reason = fmt::format("nothing is found in {} images, so there is nothing to compare",
                                 reference.size());
  else if (not_finite > 0)
    verdict.reason = fmt::format("{} rows are not finite", not_finite);
  else if (different > 0)
    verdict.reason = fmt::format("{} boxes differ, of {} that float32 finds in {} images",
                                 different, boxes, reference.size());
  else
    verdict.reason =
        fmt::format("all {} boxes in {} images are those of float32", boxes, reference.size());
  return verdict;
}

PrecisionVerdict judge_precision(Detector& reference, Detector& candidate,
                                 std::span<const cv::Mat> pictures, const LookOptions& options) {
  DetectBuffers buffers;
  const std::vector<DetectResult> wanted = detect_all(reference, pictures, options, buffers),
                                  found = detect_all(candidate, pictures, options, buffers);
  PrecisionVerdict verdict = compare_boxes(wanted, found, options.nms.conf_thres);
  if (!verdict.same) return verdict;
  std::vector<double> a, b;
  for (int i = 0; i < 5; ++i) {
    a.push_back(
        detect_all(reference, pictures.first(1), options, buffers).front().timing.inference);
    b.push_back(
        detect_all(candidate, pictures.first(1), options, buffers).front().timing.inference);
  }
  verdict.speed = median(a) / median(b);
  return verdict;
}

}  // namespace yolov7::runtime
