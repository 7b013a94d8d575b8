#include "dataset/index/label_marks.hpp"

#include <algorithm>

#include "core/append_bytes.hpp"
#include "core/file.hpp"

namespace yolov7::dataset {
namespace {

float weight_of(const LabelMark& mark, const MarkRule& rule) {
  return mark.machine && rule.by_confidence ? mark.score : 1.0f;
}

bool is_ignored(const RegionMark& region, const MarkRule& rule) {
  return region.machine ? rule.machine_regions : rule.other_regions;
}

}  // namespace

LabelWeights weights_of(const ImageMarks& marks, const MarkRule& rule) {
  LabelWeights result;
  for (const LabelMark& mark : marks.labels) result.weights.push_back(weight_of(mark, rule));
  if (std::all_of(result.weights.begin(), result.weights.end(), [](float w) { return w == 1; }))
    result.weights.clear();
  for (const RegionMark& region : marks.regions)
    if (is_ignored(region, rule)) result.ignored.push_back(region.box);
  return result;
}

MarkCounts count_marks(const SetMarks& marks, const MarkRule& rule) {
  MarkCounts counts;
  double sum = 0;
  for (const ImageMarks& image : marks.images) {
    const std::size_t before = counts.machine + counts.ignored;
    for (const LabelMark& mark : image.labels) {
      if (!mark.machine) continue;
      ++counts.machine;
      sum += weight_of(mark, rule);
    }
    for (const RegionMark& region : image.regions)
      ++(is_ignored(region, rule) ? counts.ignored : counts.unused);
    counts.images += counts.machine + counts.ignored > before ? 1 : 0;
    counts.drawn += image.drawn ? 1 : 0;
  }
  if (counts.machine > 0) counts.mean_weight = sum / static_cast<double>(counts.machine);
  return counts;
}

std::string identity(const std::vector<LabelWeights>& weights) {
  std::string all;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const LabelWeights& image = weights[i];
    if (image.weights.empty() && image.ignored.empty()) continue;
    append_bytes(all, i);
    append_bytes(all, image.weights.size());
    for (const float weight : image.weights) append_bytes(all, weight);
    for (const CxcywhNormalized& box : image.ignored) append_bytes(all, box);
  }
  return all.empty() ? "" : file::content_hash(all);
}

}  // namespace yolov7::dataset
