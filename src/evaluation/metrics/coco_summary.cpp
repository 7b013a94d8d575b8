#include "evaluation/metrics/coco_summary.hpp"

#include <fmt/format.h>

namespace yolov7::evaluation {
namespace {

/// Mean over the values above −1, or −1.
class Mean {
 public:
  void add(double value) {
    if (value <= -1) return;
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ == 0 ? -1 : sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

constexpr std::size_t all_ious = coco_ious, all_categories = ~std::size_t{0};

double average_precision(const CocoResult& r, std::size_t iou, std::size_t area,
                         std::size_t category = all_categories) {
  Mean mean;
  const std::size_t first = category == all_categories ? 0 : category,
                    last = category == all_categories ? r.categories.size() : category + 1;
  for (std::size_t t = 0; t < coco_ious; ++t)
    for (std::size_t p = 0; p < coco_recalls && (iou == all_ious || t == iou); ++p)
      for (std::size_t k = first; k < last; ++k) mean.add(r.precision_at(t, p, k, area));
  return mean.value();
}

double average_recall(const CocoResult& r, std::size_t area, std::size_t limit) {
  Mean mean;
  for (std::size_t t = 0; t < coco_ious; ++t)
    for (std::size_t k = 0; k < r.categories.size(); ++k) mean.add(r.recall_at(t, k, area, limit));
  return mean.value();
}

}  // namespace

void summarize(CocoResult& r) {
  r.stats = {average_precision(r, all_ious, 0), average_precision(r, 0, 0),
             average_precision(r, 5, 0),        average_precision(r, all_ious, 1),
             average_precision(r, all_ious, 2), average_precision(r, all_ious, 3),
             average_recall(r, 0, 0),           average_recall(r, 0, 1),
             average_recall(r, 0, 2),           average_recall(r, 1, 2),
             average_recall(r, 2, 2),           average_recall(r, 3, 2)};
  for (std::size_t k = 0; k < r.categories.size(); ++k) {
    r.ap_per_category.push_back(average_precision(r, all_ious, 0, k));
    r.ap50_per_category.push_back(average_precision(r, 0, 0, k));
  }
}

std::vector<std::string> summary_lines(const CocoResult& r) {
  const auto& m = r.options.max_detections;
  const auto line = [&](bool precision, const char* iou, const char* area, int most, double value) {
    return fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6} | maxDets={:>3} ] = {:.3f}",
                       precision ? "Average Precision" : "Average Recall",
                       precision ? "(AP)" : "(AR)", iou, area, most, value);
  };
  const char* range = "0.50:0.95";
  const auto& s = r.stats;
  return {line(true, range, "all", m[2], s[0]),      line(true, "0.50", "all", m[2], s[1]),
          line(true, "0.75", "all", m[2], s[2]),     line(true, range, "small", m[2], s[3]),
          line(true, range, "medium", m[2], s[4]),   line(true, range, "large", m[2], s[5]),
          line(false, range, "all", m[0], s[6]),     line(false, range, "all", m[1], s[7]),
          line(false, range, "all", m[2], s[8]),     line(false, range, "small", m[2], s[9]),
          line(false, range, "medium", m[2], s[10]), line(false, range, "large", m[2], s[11])};
}

}  // namespace yolov7::evaluation
