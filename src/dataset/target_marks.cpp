#include "dataset/target_marks.hpp"

#include <algorithm>

namespace yolov7::dataset {

void append(TargetMarks& all, std::size_t before, const TargetMarks& one, std::size_t count,
            std::size_t sample) {
  const bool weighted = !one.weights.empty() || !all.weights.empty();
  if (weighted && all.weights.empty()) all.weights.assign(before, 1);
  if (weighted && one.weights.empty()) all.weights.insert(all.weights.end(), count, 1);
  all.weights.insert(all.weights.end(), one.weights.begin(), one.weights.end());
  for (IgnoredBox box : one.ignored) {
    box[0] = static_cast<float>(sample);
    all.ignored.push_back(box);
  }
}

TargetMarks part_of(const TargetMarks& all, std::span<const std::array<float, 6>> targets,
                    int first, int count) {
  TargetMarks part;
  const auto inside = [&](float sample) {
    const float place = sample - static_cast<float>(first);
    return place >= 0 && place < static_cast<float>(count);
  };
  for (std::size_t i = 0; i < all.weights.size(); ++i)
    if (inside(targets[i][0])) part.weights.push_back(all.weights[i]);
  if (std::all_of(part.weights.begin(), part.weights.end(), [](float w) { return w == 1; }))
    part.weights.clear();
  for (IgnoredBox box : all.ignored) {
    if (!inside(box[0])) continue;
    box[0] -= static_cast<float>(first);
    part.ignored.push_back(box);
  }
  return part;
}

}  // namespace yolov7::dataset
