#include "evaluation/metrics/coco.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "core/threads.hpp"
#include "evaluation/metrics/coco_cells.hpp"
#include "evaluation/metrics/coco_summary.hpp"
#include "evaluation/metrics/overlap.hpp"
#include "evaluation/metrics/precision_envelope.hpp"

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

struct AreaRange {
  double low, high;
};
constexpr std::array<AreaRange, coco_areas> areas{
    {{0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}}};

/// A bit for each IoU threshold.
using Thresholds = std::uint16_t;
constexpr Thresholds every_threshold = (1 << coco_ious) - 1;

struct Match {
  Thresholds matched = 0, ignored = 0;
  Thresholds found() const { return matched & static_cast<Thresholds>(~ignored); }
};

class CategoryEvaluator {
 public:
  CategoryEvaluator(const CocoCategoryData& data, const CocoOptions& options)
      : data_(data),
        options_(options),
        by_score_(data.detections.size()),
        matches_(data.detections.size()) {
    std::iota(by_score_.begin(), by_score_.end(), std::uint32_t{0});
    std::vector<double> scores;
    for (const CocoDetection* d : data.detections) scores.push_back(d->score);
    std::stable_sort(by_score_.begin(), by_score_.end(),
                     [&](std::uint32_t x, std::uint32_t y) { return scores[x] > scores[y]; });
    for (const CocoCell& cell : data.cells) add_ious(cell);
  }

  /// Fills the places of category `k` for one area range.
  void run(std::size_t area, std::size_t k, CocoResult& out) {
    std::size_t countable = 0;
    for (const CocoAnnotation* g : data_.truths) countable += !ignores(*g, areas[area]);
    if (countable == 0) return;  // absent: −1 stays
    std::array<std::array<std::size_t, coco_ious>, coco_limits> found{};
    std::size_t ious = 0;
    for (const CocoCell& cell : data_.cells) {
      match(cell, ious, areas[area]);
      ious += (cell.last_truth - cell.first_truth) * (cell.last_detection - cell.first_detection);
      count(cell, found);
    }
    for (std::size_t t = 0; t < coco_ious; ++t)
      for (std::size_t limit = 0; limit < coco_limits; ++limit)
        out.recall[((t * out.categories.size() + k) * coco_areas + area) * coco_limits + limit] =
            static_cast<double>(found[limit][t]) / static_cast<double>(countable);
    store_precision(countable, area, k, out);
  }

  /// With all areas counting. Objects and detections are told by their places behind the two
  /// pointers.
  CocoMatches::Category matches(const CocoAnnotation* first_annotation,
                                const CocoDetection* first_detection) {
    CocoMatches::Category out{};
    takers_wanted_ = true;
    std::vector<std::uint32_t> picture(matches_.size());
    std::size_t ious = 0;
    for (const CocoCell& cell : data_.cells) {
      match(cell, ious, areas[0]);
      ious += (cell.last_truth - cell.first_truth) * (cell.last_detection - cell.first_detection);
      std::fill(picture.begin() + static_cast<std::ptrdiff_t>(cell.first_detection),
                picture.begin() + static_cast<std::ptrdiff_t>(cell.last_detection), cell.picture);
      for (std::size_t g = cell.first_truth; g < cell.last_truth; ++g) {
        if (ignores(*data_.truths[g], areas[0])) continue;
        out.objects.push_back(cell.picture);
        out.found.push_back({static_cast<std::size_t>(data_.truths[g] - first_annotation),
                             takers_[g - cell.first_truth]});
      }
    }
    for (const std::uint32_t d : by_score_) {
      out.detections.push_back(
          {data_.detections[d]->score, picture[d], matches_[d].found(), matches_[d].ignored});
      out.indices.push_back(static_cast<std::size_t>(data_.detections[d] - first_detection));
    }
    return out;
  }

 private:
  static bool ignores(const CocoAnnotation& g, const AreaRange& range) {
    return g.crowd || g.area < range.low || g.area > range.high;
  }

  /// [detection][truth] of a cell, behind those of the cells before it; and each detection's
  /// largest.
  void add_ious(const CocoCell& cell) {
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      double largest = 0;
      for (std::size_t g = cell.first_truth; g < cell.last_truth; ++g) {
        ious_.push_back(
            overlap(data_.detections[d]->box, data_.truths[g]->box, data_.truths[g]->crowd));
        largest = std::max(largest, ious_.back());
      }
      largest_iou_.push_back(largest);
    }
  }

  void match(const CocoCell& cell, std::size_t first_iou, const AreaRange& range) {
    static const auto thresholds = iou_thresholds();
    const std::size_t truths = cell.last_truth - cell.first_truth;
    ignore_.resize(truths);
    order_.clear();
    for (std::size_t g = 0; g < truths; ++g)
      ignore_[g] = ignores(*data_.truths[cell.first_truth + g], range);
    for (const bool ignored : {false, true})
      for (std::size_t g = 0; g < truths; ++g)
        if ((ignore_[g] != 0) == ignored) order_.push_back(g);
    taken_.assign(truths, 0);
    if (takers_wanted_) {
      static const auto nobody = [] {
        std::array<double, coco_ious> scores;
        scores.fill(-1);
        return scores;
      }();
      takers_.assign(truths, nobody);
    }
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      Match m;
      const double* const ious = ious_.data() + first_iou + (d - cell.first_detection) * truths;
      for (std::size_t t = 0;
           t < coco_ious && largest_iou_[d] >= std::min(thresholds[t], 1 - 1e-10); ++t) {
        const std::size_t g = best_truth(cell, ious, t, thresholds[t]);
        if (g == truths) continue;
        const auto bit = static_cast<Thresholds>(1 << t);
        m.matched |= bit;
        if (ignore_[g]) m.ignored |= bit;
        taken_[g] |= bit;
        if (takers_wanted_) takers_[g][t] = data_.detections[d]->score;
      }
      const Ltwh& box = data_.detections[d]->box;
      const double area = box.width * box.height;
      if (area < range.low || area > range.high)
        m.ignored |= every_threshold & static_cast<Thresholds>(~m.matched);
      matches_[d] = m;
    }
  }

  /// Index of the ground truth that a detection takes at a threshold, or the number of ground
  /// truths if none.
  std::size_t best_truth(const CocoCell& cell, const double* ious, std::size_t t,
                         double threshold) const {
    const std::size_t truths = order_.size();
    double best = std::min(threshold, 1 - 1e-10);
    std::size_t m = truths;
    for (const std::size_t g : order_) {
      if ((taken_[g] >> t & 1) != 0 && !data_.truths[cell.first_truth + g]->crowd) continue;
      if (m < truths && !ignore_[m] && ignore_[g]) break;
      if (ious[g] < best) continue;
      best = ious[g];
      m = g;
    }
    return m;
  }

  /// Objects found by threshold, among the first detections of each picture that a limit allows.
  void count(const CocoCell& cell,
             std::array<std::array<std::size_t, coco_ious>, coco_limits>& found) const {
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      for (unsigned bits = matches_[d].found(); bits != 0; bits &= bits - 1) {
        const auto t = static_cast<std::size_t>(std::countr_zero(bits));
        for (std::size_t limit = 0; limit < coco_limits; ++limit)
          if (d - cell.first_detection <
              static_cast<std::size_t>(std::max(0, options_.max_detections[limit])))
            ++found[limit][t];
      }
    }
  }

  void store_precision(std::size_t countable, std::size_t area, std::size_t k,
                       CocoResult& out) const {
    PrecisionEnvelope envelope;
    for (const std::uint32_t d : by_score_) envelope.add(matches_[d].found(), matches_[d].ignored);
    for (std::size_t t = 0; t < coco_ious; ++t) {
      const auto sampled = envelope.sample(t, countable);
      for (std::size_t r = 0; r < coco_recalls; ++r)
        out.precision[((t * coco_recalls + r) * out.categories.size() + k) * coco_areas + area] =
            sampled[r];
    }
  }

  const CocoCategoryData& data_;
  const CocoOptions& options_;
  std::vector<std::uint32_t> by_score_;  ///< detections, over all pictures
  std::vector<double> ious_, largest_iou_;
  std::vector<Match> matches_;  ///< of the area range at work, by detection
  std::vector<char> ignore_;
  std::vector<Thresholds> taken_;
  bool takers_wanted_ = false;
  std::vector<std::array<double, coco_ious>>
      takers_;  ///< by truth of the cell at work: the score of who took it
  std::vector<std::size_t> order_;
};

/// The data of each category, one after the other in `threads` threads.
template <class Use>
void for_each_category(const CocoGroundTruth& ground_truth,
                       const std::vector<CocoDetection>& detections,
                       const std::vector<CocoCategory>& categories, const CocoOptions& options,
                       const std::vector<std::int64_t>& images, Use use) {
  CocoCells cells(ground_truth, detections, categories, images);
  const auto most = static_cast<std::size_t>(std::max(0, options.max_detections.back()));
  // Categories write to places of their own, so the order of the threads does not matter.
  parallel_for(categories.size(), threads_or_all(options.threads), [&](std::size_t k) {
    const CocoCategoryData data = cells.take(k, most);
    CategoryEvaluator evaluator(data, options);
    use(k, evaluator);
  });
}

std::vector<std::int64_t> sorted_images(const CocoGroundTruth& ground_truth) {
  std::vector<std::int64_t> images = ground_truth.images;
  std::sort(images.begin(), images.end());
  images.erase(std::unique(images.begin(), images.end()), images.end());
  return images;
}

std::vector<CocoCategory> sorted_categories(const CocoGroundTruth& ground_truth) {
  std::vector<CocoCategory> categories = ground_truth.categories;
  std::stable_sort(categories.begin(), categories.end(),
                   [](const CocoCategory& a, const CocoCategory& b) { return a.id < b.id; });
  categories.erase(std::unique(categories.begin(), categories.end(),
                               [](const auto& a, const auto& b) { return a.id == b.id; }),
                   categories.end());
  return categories;
}

}  // namespace

CocoResult evaluate_coco(const CocoGroundTruth& ground_truth,
                         const std::vector<CocoDetection>& detections, const CocoOptions& given) {
  CocoResult result;
  CocoOptions& options = result.options = given;
  std::sort(options.max_detections.begin(), options.max_detections.end());
  result.categories = sorted_categories(ground_truth);
  const std::size_t categories = result.categories.size();
  result.precision.assign(coco_ious * coco_recalls * categories * coco_areas, -1);
  result.recall.assign(coco_ious * categories * coco_areas * coco_limits, -1);
  for_each_category(ground_truth, detections, result.categories, options,
                    sorted_images(ground_truth), [&](std::size_t k, CategoryEvaluator& evaluator) {
                      for (std::size_t area = 0; area < coco_areas; ++area)
                        evaluator.run(area, k, result);
                    });
  summarize(result);
  return result;
}

CocoMatches match_coco(const CocoGroundTruth& ground_truth,
                       const std::vector<CocoDetection>& detections, const CocoOptions& given) {
  CocoOptions options = given;
  std::sort(options.max_detections.begin(), options.max_detections.end());
  const std::vector<CocoCategory> categories = sorted_categories(ground_truth);
  const std::vector<std::int64_t> images = sorted_images(ground_truth);
  CocoMatches result;
  result.pictures = images.size();
  result.categories.resize(categories.size());
  for_each_category(ground_truth, detections, categories, options, images,
                    [&](std::size_t k, CategoryEvaluator& evaluator) {
                      result.categories[k] =
                          evaluator.matches(ground_truth.annotations.data(), detections.data());
                      result.categories[k].id = categories[k].id;
                    });
  return result;
}

}  // namespace yolov7::evaluation
