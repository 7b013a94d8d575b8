#include "evaluation/coco.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/threads.hpp"
#include "evaluation/coco_summary.hpp"
#include "evaluation/overlap.hpp"
#include "evaluation/precision_envelope.hpp"

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
constexpr std::array<AreaRange, coco_areas> areas{{{0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}}};

/// What belongs to a category on a picture: parts of the category's lists.
struct Cell {
  std::uint32_t picture;
  std::size_t first_truth, last_truth, first_detection, last_detection;
};

/// All of a category, pictures in ascending id; a cell's detections by falling score, stable, cut to the last limit.
struct CategoryData {
  std::vector<const CocoAnnotation*> truths;
  std::vector<const CocoDetection*> detections;
  std::vector<Cell> cells;
};

/// A bit for each IoU threshold.
using Thresholds = std::uint16_t;
constexpr Thresholds every_threshold = (1 << coco_ious) - 1;

struct Match {
  Thresholds matched = 0, ignored = 0;
  Thresholds found() const { return matched & static_cast<Thresholds>(~ignored); }
};

class CategoryEvaluator {
 public:
  CategoryEvaluator(const CategoryData& data, const CocoOptions& options) : data_(data), options_(options), by_score_(data.detections.size()), matches_(data.detections.size()) {
    std::iota(by_score_.begin(), by_score_.end(), std::uint32_t{0});
    std::vector<double> scores;
    for (const CocoDetection* d : data.detections) scores.push_back(d->score);
    std::stable_sort(by_score_.begin(), by_score_.end(), [&](std::uint32_t x, std::uint32_t y) { return scores[x] > scores[y]; });
    for (const Cell& cell : data.cells) add_ious(cell);
  }

  /// Fills the places of category `k` for one area range.
  void run(std::size_t area, std::size_t k, CocoResult& out) {
    std::size_t countable = 0;
    for (const CocoAnnotation* g : data_.truths) countable += !ignores(*g, areas[area]);
    if (countable == 0) return;  // absent: −1 stays
    std::array<std::array<std::size_t, coco_ious>, coco_limits> found{};
    std::size_t ious = 0;
    for (const Cell& cell : data_.cells) {
      match(cell, ious, areas[area]);
      ious += (cell.last_truth - cell.first_truth) * (cell.last_detection - cell.first_detection);
      count(cell, found);
    }
    for (std::size_t t = 0; t < coco_ious; ++t)
      for (std::size_t limit = 0; limit < coco_limits; ++limit)
        out.recall[((t * out.categories.size() + k) * coco_areas + area) * coco_limits + limit] = static_cast<double>(found[limit][t]) / static_cast<double>(countable);
    store_precision(countable, area, k, out);
  }

  /// With all areas counting. Objects and detections are told by their places behind the two pointers.
  CocoMatches::Category matches(const CocoAnnotation* first_annotation, const CocoDetection* first_detection) {
    CocoMatches::Category out{};
    takers_wanted_ = true;
    std::vector<std::uint32_t> picture(matches_.size());
    std::size_t ious = 0;
    for (const Cell& cell : data_.cells) {
      match(cell, ious, areas[0]);
      ious += (cell.last_truth - cell.first_truth) * (cell.last_detection - cell.first_detection);
      std::fill(picture.begin() + static_cast<std::ptrdiff_t>(cell.first_detection), picture.begin() + static_cast<std::ptrdiff_t>(cell.last_detection), cell.picture);
      for (std::size_t g = cell.first_truth; g < cell.last_truth; ++g) {
        if (ignores(*data_.truths[g], areas[0])) continue;
        out.objects.push_back(cell.picture);
        out.found.push_back({static_cast<std::size_t>(data_.truths[g] - first_annotation), takers_[g - cell.first_truth]});
      }
    }
    for (const std::uint32_t d : by_score_) {
      out.detections.push_back({data_.detections[d]->score, picture[d], matches_[d].found(), matches_[d].ignored});
      out.indices.push_back(static_cast<std::size_t>(data_.detections[d] - first_detection));
    }
    return out;
  }

 private:
  static bool ignores(const CocoAnnotation& g, const AreaRange& range) { return g.crowd || g.area < range.low || g.area > range.high; }

  /// [detection][truth] of a cell, behind those of the cells before it; and each detection's largest.
  void add_ious(const Cell& cell) {
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      double largest = 0;
      for (std::size_t g = cell.first_truth; g < cell.last_truth; ++g) {
        ious_.push_back(overlap(data_.detections[d]->box, data_.truths[g]->box, data_.truths[g]->crowd));
        largest = std::max(largest, ious_.back());
      }
      largest_iou_.push_back(largest);
    }
  }

  void match(const Cell& cell, std::size_t first_iou, const AreaRange& range) {
    static const auto thresholds = iou_thresholds();
    const std::size_t truths = cell.last_truth - cell.first_truth;
    ignore_.resize(truths);
    order_.clear();
    for (std::size_t g = 0; g < truths; ++g) ignore_[g] = ignores(*data_.truths[cell.first_truth + g], range);
    for (const char ignored : {0, 1})
      for (std::size_t g = 0; g < truths; ++g)
        if (ignore_[g] == ignored) order_.push_back(g);
    taken_.assign(truths, 0);
    if (takers_wanted_) {
      static const auto nobody = [] { std::array<double, coco_ious> scores; scores.fill(-1); return scores; }();
      takers_.assign(truths, nobody);
    }
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      Match m;
      const double* const ious = ious_.data() + first_iou + (d - cell.first_detection) * truths;
      for (std::size_t t = 0; t < coco_ious && largest_iou_[d] >= std::min(thresholds[t], 1 - 1e-10); ++t) {
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
      if (area < range.low || area > range.high) m.ignored |= every_threshold & static_cast<Thresholds>(~m.matched);
      matches_[d] = m;
    }
  }

  /// Index of the ground truth that a detection takes at a threshold, or the number of ground truths if none.
  std::size_t best_truth(const Cell& cell, const double* ious, std::size_t t, double threshold) const {
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
  void count(const Cell& cell, std::array<std::array<std::size_t, coco_ious>, coco_limits>& found) const {
    for (std::size_t d = cell.first_detection; d < cell.last_detection; ++d) {
      for (unsigned bits = matches_[d].found(); bits != 0; bits &= bits - 1) {
        const auto t = static_cast<std::size_t>(std::countr_zero(bits));
        for (std::size_t limit = 0; limit < coco_limits; ++limit)
          if (d - cell.first_detection < static_cast<std::size_t>(std::max(0, options_.max_detections[limit]))) ++found[limit][t];
      }
    }
  }

  void store_precision(std::size_t countable, std::size_t area, std::size_t k, CocoResult& out) const {
    PrecisionEnvelope envelope;
    for (const std::uint32_t d : by_score_) envelope.add(matches_[d].found(), matches_[d].ignored);
    for (std::size_t t = 0; t < coco_ious; ++t) {
      const auto sampled = envelope.sample(t, countable);
      for (std::size_t r = 0; r < coco_recalls; ++r) out.precision[((t * coco_recalls + r) * out.categories.size() + k) * coco_areas + area] = sampled[r];
    }
  }

  const CategoryData& data_;
  const CocoOptions& options_;
  std::vector<std::uint32_t> by_score_;  ///< detections, over all pictures
  std::vector<double> ious_, largest_iou_;
  std::vector<Match> matches_;           ///< of the area range at work, by detection
  std::vector<char> ignore_;
  std::vector<Thresholds> taken_;
  bool takers_wanted_ = false;
  std::vector<std::array<double, coco_ious>> takers_;  ///< by truth of the cell at work: the score of who took it
  std::vector<std::size_t> order_;
};

/// Ids → places in a sorted list; neighbours mostly ask for the same.
class Places {
 public:
  explicit Places(const std::vector<std::int64_t>& sorted) {
    for (std::size_t i = 0; i < sorted.size(); ++i) places_.emplace(sorted[i], i);
  }
  std::optional<std::size_t> find(std::int64_t id) {
    if (last_ && last_->first == id) return last_->second;
    const auto found = places_.find(id);
    if (found == places_.end()) return std::nullopt;
    last_ = *found;
    return found->second;
  }

 private:
  std::unordered_map<std::int64_t, std::size_t> places_;
  std::optional<std::pair<std::int64_t, std::size_t>> last_;
};

/// [category]: things in the order of their pictures, those of a picture as they came; and the picture of each.
template <class Thing>
struct Sorted {
  std::vector<std::vector<const Thing*>> things;
  std::vector<std::vector<std::uint32_t>> pictures;
};

template <class Thing>
Sorted<Thing> sorted_by_picture(const std::vector<Thing>& things, Places& pictures, Places& categories, std::size_t picture_count, std::size_t category_count, bool must_be_known) {
  constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<std::uint32_t> picture(things.size()), category(things.size(), none), starts(picture_count + 1), order(things.size());
  std::vector<std::size_t> counts(category_count);
  for (std::size_t i = 0; i < things.size(); ++i) {
    const auto place = pictures.find(things[i].image);
    if (!place && must_be_known) throw Error(fmt::format("COCO detections: picture {} is not in the ground truth", things[i].image));
    const auto kind = categories.find(things[i].category);
    picture[i] = static_cast<std::uint32_t>(place.value_or(0));
    if (!place || !kind) continue;
    category[i] = static_cast<std::uint32_t>(*kind);
    ++counts[*kind];
  }
  for (const std::uint32_t p : picture) ++starts[p + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  for (std::size_t i = 0; i < things.size(); ++i) order[starts[picture[i]]++] = static_cast<std::uint32_t>(i);
  Sorted<Thing> result{std::vector<std::vector<const Thing*>>(category_count), std::vector<std::vector<std::uint32_t>>(category_count)};
  for (std::size_t k = 0; k < category_count; ++k) result.things[k].reserve(counts[k]), result.pictures[k].reserve(counts[k]);
  for (const std::uint32_t i : order) {
    if (category[i] == none) continue;
    result.things[category[i]].push_back(&things[i]);
    result.pictures[category[i]].push_back(picture[i]);
  }
  return result;
}

void sort_by_score(std::vector<const CocoDetection*>& detections, std::size_t from, std::size_t to) {
  const auto higher = [](const CocoDetection* a, const CocoDetection* b) { return a->score > b->score; };
  constexpr std::size_t few = 24;  // std::stable_sort takes memory each time
  if (to - from > few) return std::stable_sort(detections.begin() + static_cast<std::ptrdiff_t>(from), detections.begin() + static_cast<std::ptrdiff_t>(to), higher);
  for (std::size_t i = from + 1; i < to; ++i)
    for (std::size_t j = i; j > from && higher(detections[j], detections[j - 1]); --j) std::swap(detections[j], detections[j - 1]);
}

/// Cells of one category; detections beyond the last limit are dropped.
CategoryData cells_of(std::vector<const CocoAnnotation*> truths, const std::vector<std::uint32_t>& truth_pictures, std::vector<const CocoDetection*> detections, const std::vector<std::uint32_t>& detection_pictures, std::size_t most) {
  CategoryData data;
  data.truths = std::move(truths);
  data.detections.reserve(detections.size());
  std::size_t g = 0, d = 0;
  while (g < data.truths.size() || d < detections.size()) {
    const std::uint32_t picture = std::min(g < data.truths.size() ? truth_pictures[g] : ~std::uint32_t{0}, d < detections.size() ? detection_pictures[d] : ~std::uint32_t{0});
    Cell cell{picture, g, g, data.detections.size(), 0};
    while (g < data.truths.size() && truth_pictures[g] == picture) ++g;
    const std::size_t first = d;
    while (d < detections.size() && detection_pictures[d] == picture) ++d;
    sort_by_score(detections, first, d);
    data.detections.insert(data.detections.end(), detections.begin() + static_cast<std::ptrdiff_t>(first), detections.begin() + static_cast<std::ptrdiff_t>(std::min(d, first + most)));
    cell.last_truth = g;
    cell.last_detection = data.detections.size();
    data.cells.push_back(cell);
  }
  return data;
}

/// The data of each category, one after the other in `threads` threads.
template <class Use>
void for_each_category(const CocoGroundTruth& ground_truth, const std::vector<CocoDetection>& detections, const std::vector<CocoCategory>& categories, const CocoOptions& options, const std::vector<std::int64_t>& images, Use use) {
  std::vector<std::int64_t> ids;
  for (const CocoCategory& category : categories) ids.push_back(category.id);
  Places image_places(images), category_places(ids);
  Sorted<CocoAnnotation> truths = sorted_by_picture(ground_truth.annotations, image_places, category_places, images.size(), categories.size(), false);
  Sorted<CocoDetection> found = sorted_by_picture(detections, image_places, category_places, images.size(), categories.size(), true);
  const auto most = static_cast<std::size_t>(std::max(0, options.max_detections.back()));
  // Categories write to places of their own, so the order of the threads does not matter.
  parallel_for(categories.size(), threads_or_all(options.threads), [&](std::size_t k) {
    const CategoryData data = cells_of(std::move(truths.things[k]), truths.pictures[k], std::move(found.things[k]), found.pictures[k], most);
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
  std::stable_sort(categories.begin(), categories.end(), [](const CocoCategory& a, const CocoCategory& b) { return a.id < b.id; });
  categories.erase(std::unique(categories.begin(), categories.end(), [](const auto& a, const auto& b) { return a.id == b.id; }), categories.end());
  return categories;
}

}  // namespace

CocoResult evaluate_coco(const CocoGroundTruth& ground_truth, const std::vector<CocoDetection>& detections, const CocoOptions& given) {
  CocoResult result;
  CocoOptions& options = result.options = given;
  std::sort(options.max_detections.begin(), options.max_detections.end());
  result.categories = sorted_categories(ground_truth);
  const std::size_t categories = result.categories.size();
  result.precision.assign(coco_ious * coco_recalls * categories * coco_areas, -1);
  result.recall.assign(coco_ious * categories * coco_areas * coco_limits, -1);
  for_each_category(ground_truth, detections, result.categories, options, sorted_images(ground_truth), [&](std::size_t k, CategoryEvaluator& evaluator) {
    for (std::size_t area = 0; area < coco_areas; ++area) evaluator.run(area, k, result);
  });
  summarize(result);
  return result;
}

CocoMatches match_coco(const CocoGroundTruth& ground_truth, const std::vector<CocoDetection>& detections, const CocoOptions& given) {
  CocoOptions options = given;
  std::sort(options.max_detections.begin(), options.max_detections.end());
  const std::vector<CocoCategory> categories = sorted_categories(ground_truth);
  const std::vector<std::int64_t> images = sorted_images(ground_truth);
  CocoMatches result;
  result.pictures = images.size();
  result.categories.resize(categories.size());
  for_each_category(ground_truth, detections, categories, options, images, [&](std::size_t k, CategoryEvaluator& evaluator) {
    result.categories[k] = evaluator.matches(ground_truth.annotations.data(), detections.data());
    result.categories[k].id = categories[k].id;
  });
  return result;
}

}  // namespace yolov7::evaluation
