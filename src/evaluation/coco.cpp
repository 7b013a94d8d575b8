#include "evaluation/coco.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "core/error.hpp"
#include "core/threads.hpp"

namespace yolov7::evaluation {
namespace {

/// 0.5 … 0.95 as numpy's linspace gives them: start + k · step, the last one exact.
std::array<double, coco_ious> iou_thresholds() {
  std::array<double, coco_ious> t{};
  const double step = (0.95 - 0.5) / 9;
  for (std::size_t k = 0; k < coco_ious; ++k) t[k] = 0.5 + static_cast<double>(k) * step;
  t.back() = 0.95;
  return t;
}

std::array<double, coco_recalls> recall_thresholds() {
  std::array<double, coco_recalls> r{};
  for (std::size_t i = 0; i < coco_recalls; ++i) r[i] = static_cast<double>(i) * 0.01;
  r.back() = 1;
  return r;
}

struct AreaRange {
  double low, high;
};
constexpr std::array<AreaRange, coco_areas> areas{{{0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}}};

double overlap(const Ltwh& d, const Ltwh& g, bool crowd) {
  const double w = std::min(d.left + d.width, g.left + g.width) - std::max(d.left, g.left);
  const double h = std::min(d.top + d.height, g.top + g.height) - std::max(d.top, g.top);
  if (w <= 0 || h <= 0) return 0;
  const double i = w * h;
  return i / (crowd ? d.width * d.height : d.width * d.height + g.width * g.height - i);
}

struct ImageCell {
  std::vector<const CocoAnnotation*> truths;
  std::vector<const CocoDetection*> detections;  ///< descending score, stable, cut to the last limit
};

/// One picture and area range after matching.
struct Matches {
  std::vector<double> scores;
  std::array<std::vector<char>, coco_ious> matched, ignored;  ///< by detection
  std::size_t countable = 0;                                  ///< ground truths that are not ignored
};

class CategoryEvaluator {
 public:
  CategoryEvaluator(const std::vector<ImageCell>& cells, const CocoOptions& options) : cells_(cells), options_(options) {
    for (const ImageCell& cell : cells) ious_.push_back(iou_matrix(cell));
  }

  /// Fills the cells of category `k` for one area range.
  void run(std::size_t area, std::size_t k, CocoResult& out) const {
    std::vector<Matches> all;
    for (std::size_t i = 0; i < cells_.size(); ++i)
      if (!cells_[i].truths.empty() || !cells_[i].detections.empty()) all.push_back(match(cells_[i], ious_[i], areas[area]));
    std::size_t countable = 0;
    for (const Matches& m : all) countable += m.countable;
    if (countable == 0) return;  // absent: −1 stays
    for (std::size_t limit = 0; limit < coco_limits; ++limit) accumulate(all, countable, area, k, limit, out);
  }

 private:
  static std::vector<double> iou_matrix(const ImageCell& cell) {
    std::vector<double> ious;
    ious.reserve(cell.detections.size() * cell.truths.size());
    for (const CocoDetection* d : cell.detections)
      for (const CocoAnnotation* g : cell.truths) ious.push_back(overlap(d->box, g->box, g->crowd));
    return ious;
  }

  static Matches match(const ImageCell& cell, const std::vector<double>& ious, const AreaRange& range) {
    const std::size_t truths = cell.truths.size(), detections = cell.detections.size();
    std::vector<char> ignore(truths);
    for (std::size_t g = 0; g < truths; ++g) ignore[g] = cell.truths[g]->crowd || cell.truths[g]->area < range.low || cell.truths[g]->area > range.high;
    std::vector<std::size_t> order(truths);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ignore[a] < ignore[b]; });
    Matches out;
    out.countable = static_cast<std::size_t>(std::count(ignore.begin(), ignore.end(), 0));
    for (const CocoDetection* d : cell.detections) out.scores.push_back(d->score);
    static const auto thresholds = iou_thresholds();
    std::vector<char> taken(truths);
    for (std::size_t t = 0; t < coco_ious; ++t) {
      std::fill(taken.begin(), taken.end(), 0);
      out.matched[t].assign(detections, 0);
      out.ignored[t].assign(detections, 0);
      for (std::size_t d = 0; d < detections; ++d) {
        const std::size_t m = best_truth(cell, ious.data() + d * truths, order, ignore, taken, thresholds[t]);
        if (m < truths) {
          out.matched[t][d] = 1;
          out.ignored[t][d] = ignore[m];
          taken[m] = 1;
        } else {
          const double area = cell.detections[d]->box.width * cell.detections[d]->box.height;
          out.ignored[t][d] = area < range.low || area > range.high;
        }
      }
    }
    return out;
  }

  /// Index of the ground truth that a detection takes at a threshold, or the number of ground truths if none.
  static std::size_t best_truth(const ImageCell& cell, const double* ious, const std::vector<std::size_t>& order, const std::vector<char>& ignore,
                                const std::vector<char>& taken, double threshold) {
    double best = std::min(threshold, 1 - 1e-10);
    std::size_t m = cell.truths.size();
    for (const std::size_t g : order) {
      if (taken[g] && !cell.truths[g]->crowd) continue;
      if (m < cell.truths.size() && !ignore[m] && ignore[g]) break;
      if (ious[g] < best) continue;
      best = ious[g];
      m = g;
    }
    return m;
  }

  struct Item {
    double score;
    std::uint32_t image, index;
  };

  void accumulate(const std::vector<Matches>& all, std::size_t countable, std::size_t area, std::size_t k, std::size_t limit, CocoResult& out) const {
    std::vector<Item> items;
    const auto most = static_cast<std::size_t>(std::max(0, options_.max_detections[limit]));
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t d = 0; d < std::min(all[i].scores.size(), most); ++d)
        items.push_back({all[i].scores[d], static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(d)});
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.score > b.score; });
    std::vector<double> recall(items.size()), precision(items.size());
    for (std::size_t t = 0; t < coco_ious; ++t) {
      double tp = 0, fp = 0;
      for (std::size_t i = 0; i < items.size(); ++i) {
        const Matches& m = all[items[i].image];
        if (!m.ignored[t][items[i].index]) (m.matched[t][items[i].index] ? tp : fp) += 1;
        recall[i] = tp / static_cast<double>(countable);
        precision[i] = tp / (fp + tp + 2.220446049250313e-16);
      }
      store(recall, precision, t, area, k, limit, out);
    }
  }

  static void store(const std::vector<double>& recall, std::vector<double>& precision, std::size_t t, std::size_t area, std::size_t k, std::size_t limit, CocoResult& out) {
    const std::size_t categories = out.categories.size();
    out.recall[((t * categories + k) * coco_areas + area) * coco_limits + limit] = recall.empty() ? 0 : recall.back();
    if (limit + 1 != coco_limits) return;
    for (std::size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    static const auto points = recall_thresholds();
    for (std::size_t r = 0; r < coco_recalls; ++r) {
      const auto at = static_cast<std::size_t>(std::lower_bound(recall.begin(), recall.end(), points[r]) - recall.begin());
      out.precision[((t * coco_recalls + r) * categories + k) * coco_areas + area] = at < precision.size() ? precision[at] : 0;
    }
  }

  const std::vector<ImageCell>& cells_;
  const CocoOptions& options_;
  std::vector<std::vector<double>> ious_;
};

using Grid = std::vector<std::vector<ImageCell>>;  ///< [category][picture in ascending id]

Grid group(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections, const std::vector<CocoCategory>& categories, const CocoOptions& options) {
  std::vector<std::int64_t> images = truth.images;
  std::sort(images.begin(), images.end());
  images.erase(std::unique(images.begin(), images.end()), images.end());
  std::unordered_map<std::int64_t, std::size_t> image_index, category_index;
  for (std::size_t i = 0; i < images.size(); ++i) image_index[images[i]] = i;
  for (std::size_t k = 0; k < categories.size(); ++k) category_index[categories[k].id] = k;
  Grid grid(categories.size(), std::vector<ImageCell>(images.size()));
  for (const CocoAnnotation& a : truth.annotations) {
    const auto image = image_index.find(a.image);
    const auto category = category_index.find(a.category);
    if (image != image_index.end() && category != category_index.end()) grid[category->second][image->second].truths.push_back(&a);
  }
  for (const CocoDetection& d : detections) {
    const auto image = image_index.find(d.image);
    if (image == image_index.end()) throw Error(fmt::format("COCO detections: picture {} is not in the ground truth", d.image));
    const auto category = category_index.find(d.category);
    if (category != category_index.end()) grid[category->second][image->second].detections.push_back(&d);
  }
  const auto most = static_cast<std::size_t>(std::max(0, options.max_detections.back()));
  for (auto& row : grid)
    for (ImageCell& cell : row) {
      std::stable_sort(cell.detections.begin(), cell.detections.end(), [](const CocoDetection* a, const CocoDetection* b) { return a->score > b->score; });
      if (cell.detections.size() > most) cell.detections.resize(most);
    }
  return grid;
}

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

double average_precision(const CocoResult& r, std::size_t iou, std::size_t area, std::size_t category = all_categories) {
  Mean mean;
  for (std::size_t t = 0; t < coco_ious; ++t)
    if (iou == all_ious || t == iou)
      for (std::size_t p = 0; p < coco_recalls; ++p)
        for (std::size_t k = 0; k < r.categories.size(); ++k)
          if (category == all_categories || k == category) mean.add(r.precision_at(t, p, k, area));
  return mean.value();
}

double average_recall(const CocoResult& r, std::size_t area, std::size_t limit) {
  Mean mean;
  for (std::size_t t = 0; t < coco_ious; ++t)
    for (std::size_t k = 0; k < r.categories.size(); ++k) mean.add(r.recall_at(t, k, area, limit));
  return mean.value();
}

void summarize(CocoResult& r) {
  r.stats = {average_precision(r, all_ious, 0), average_precision(r, 0, 0), average_precision(r, 5, 0), average_precision(r, all_ious, 1),
             average_precision(r, all_ious, 2), average_precision(r, all_ious, 3), average_recall(r, 0, 0), average_recall(r, 0, 1),
             average_recall(r, 0, 2), average_recall(r, 1, 2), average_recall(r, 2, 2), average_recall(r, 3, 2)};
  for (std::size_t k = 0; k < r.categories.size(); ++k) {
    r.ap_per_category.push_back(average_precision(r, all_ious, 0, k));
    r.ap50_per_category.push_back(average_precision(r, 0, 0, k));
  }
}

}  // namespace

CocoResult evaluate_coco(const CocoGroundTruth& ground_truth, const std::vector<CocoDetection>& detections, const CocoOptions& given) {
  CocoResult result;
  CocoOptions& options = result.options = given;
  std::sort(options.max_detections.begin(), options.max_detections.end());
  result.categories = ground_truth.categories;
  std::stable_sort(result.categories.begin(), result.categories.end(), [](const CocoCategory& a, const CocoCategory& b) { return a.id < b.id; });
  result.categories.erase(std::unique(result.categories.begin(), result.categories.end(), [](const auto& a, const auto& b) { return a.id == b.id; }), result.categories.end());
  const std::size_t categories = result.categories.size();
  result.precision.assign(coco_ious * coco_recalls * categories * coco_areas, -1);
  result.recall.assign(coco_ious * categories * coco_areas * coco_limits, -1);
  const Grid grid = group(ground_truth, detections, result.categories, options);
  // Categories write disjoint cells, so the order of the threads does not matter.
  parallel_for(categories, options.threads > 0 ? options.threads : usable_cores(), [&](std::size_t k) {
    const CategoryEvaluator evaluator(grid[k], options);
    for (std::size_t area = 0; area < coco_areas; ++area) evaluator.run(area, k, result);
  });
  summarize(result);
  return result;
}

std::vector<std::string> summary_lines(const CocoResult& r) {
  const auto& m = r.options.max_detections;
  const auto line = [&](bool precision, const char* iou, const char* area, int most, double value) {
    return fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6} | maxDets={:>3} ] = {:.3f}", precision ? "Average Precision" : "Average Recall",
                       precision ? "(AP)" : "(AR)", iou, area, most, value);
  };
  const char* range = "0.50:0.95";
  const auto& s = r.stats;
  return {line(true, range, "all", m[2], s[0]), line(true, "0.50", "all", m[2], s[1]), line(true, "0.75", "all", m[2], s[2]),
          line(true, range, "small", m[2], s[3]), line(true, range, "medium", m[2], s[4]), line(true, range, "large", m[2], s[5]),
          line(false, range, "all", m[0], s[6]), line(false, range, "all", m[1], s[7]), line(false, range, "all", m[2], s[8]),
          line(false, range, "small", m[2], s[9]), line(false, range, "medium", m[2], s[10]), line(false, range, "large", m[2], s[11])};
}

}  // namespace yolov7::evaluation
