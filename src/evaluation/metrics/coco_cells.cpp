#include "evaluation/metrics/coco_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"

namespace yolov7::evaluation {
namespace {

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

template <class Thing>
CocoCells::Sorted<Thing> sorted_by_picture(const std::vector<Thing>& things, Places& pictures,
                                           Places& categories, std::size_t picture_count,
                                           std::size_t category_count, bool must_be_known) {
  constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<std::uint32_t> picture(things.size()), category(things.size(), none),
      starts(picture_count + 1), order(things.size());
  std::vector<std::size_t> counts(category_count);
  for (std::size_t i = 0; i < things.size(); ++i) {
    const auto place = pictures.find(things[i].image);
    if (!place && must_be_known)
      throw Error(
          fmt::format("COCO detections: image {} is not in the ground truth", things[i].image));
    const auto kind = categories.find(things[i].category);
    picture[i] = static_cast<std::uint32_t>(place.value_or(0));
    if (!place || !kind) continue;
    category[i] = static_cast<std::uint32_t>(*kind);
    ++counts[*kind];
  }
  for (const std::uint32_t p : picture) ++starts[p + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  for (std::size_t i = 0; i < things.size(); ++i)
    order[starts[picture[i]]++] = static_cast<std::uint32_t>(i);
  CocoCells::Sorted<Thing> result{std::vector<std::vector<const Thing*>>(category_count),
                                  std::vector<std::vector<std::uint32_t>>(category_count)};
  for (std::size_t k = 0; k < category_count; ++k)
    result.things[k].reserve(counts[k]), result.pictures[k].reserve(counts[k]);
  for (const std::uint32_t i : order) {
    if (category[i] == none) continue;
    result.things[category[i]].push_back(&things[i]);
    result.pictures[category[i]].push_back(picture[i]);
  }
  return result;
}

void sort_by_score(std::vector<const CocoDetection*>& detections, std::size_t from,
                   std::size_t to) {
  const auto higher = [](const CocoDetection* a, const CocoDetection* b) {
    return a->score > b->score;
  };
  constexpr std::size_t few = 24;  // std::stable_sort takes memory each time
  if (to - from > few)
    return std::stable_sort(detections.begin() + static_cast<std::ptrdiff_t>(from),
                            detections.begin() + static_cast<std::ptrdiff_t>(to), higher);
  for (std::size_t i = from + 1; i < to; ++i)
    for (std::size_t j = i; j > from && higher(detections[j], detections[j - 1]); --j)
      std::swap(detections[j], detections[j - 1]);
}

}  // namespace

CocoCells::CocoCells(const CocoGroundTruth& ground_truth,
                     const std::vector<CocoDetection>& detections,
                     const std::vector<CocoCategory>& categories,
                     const std::vector<std::int64_t>& images) {
  std::vector<std::int64_t> ids;
  for (const CocoCategory& category : categories) ids.push_back(category.id);
  Places image_places(images), category_places(ids);
  truths_ = sorted_by_picture(ground_truth.annotations, image_places, category_places,
                              images.size(), categories.size(), false);
  found_ = sorted_by_picture(detections, image_places, category_places, images.size(),
                             categories.size(), true);
}

CocoCategoryData CocoCells::take(std::size_t k, std::size_t most) {
  const std::vector<std::uint32_t>& truth_pictures = truths_.pictures[k];
  const std::vector<std::uint32_t>& detection_pictures = found_.pictures[k];
  std::vector<const CocoDetection*> detections = std::move(found_.things[k]);
  CocoCategoryData data;
  data.truths = std::move(truths_.things[k]);
  data.detections.reserve(detections.size());
  std::size_t g = 0, d = 0;
  while (g < data.truths.size() || d < detections.size()) {
    const std::uint32_t picture =
        std::min(g < data.truths.size() ? truth_pictures[g] : ~std::uint32_t{0},
                 d < detections.size() ? detection_pictures[d] : ~std::uint32_t{0});
    CocoCell cell{picture, g, g, data.detections.size(), 0};
    while (g < data.truths.size() && truth_pictures[g] == picture) ++g;
    const std::size_t first = d;
    while (d < detections.size() && detection_pictures[d] == picture) ++d;
    sort_by_score(detections, first, d);
    data.detections.insert(
        data.detections.end(), detections.begin() + static_cast<std::ptrdiff_t>(first),
        detections.begin() + static_cast<std::ptrdiff_t>(std::min(d, first + most)));
    cell.last_truth = g;
    cell.last_detection = data.detections.size();
    data.cells.push_back(cell);
  }
  return data;
}

}  // namespace yolov7::evaluation
