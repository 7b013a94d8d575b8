#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "versions/diff.hpp"
#include "versions/merge.hpp"

namespace yolov7::versions {
namespace {

constexpr double least_iou = 0.5;

struct Pair {
  double iou = 0;
  bool same_class = false;
  int before = 0, after = 0;
};

bool better(const Pair& a, const Pair& b) {
  return std::tuple(-a.iou, !a.same_class, a.before, a.after) <
         std::tuple(-b.iou, !b.same_class, b.before, b.after);
}

int mapped(const Shape& shape, const std::vector<int>& class_map) {
  const auto place = static_cast<std::size_t>(shape.class_index);
  return shape.class_index >= 0 && place < class_map.size() ? class_map[place] : -1;
}

bool same_box(const ShapeBox& a, const ShapeBox& b) {
  return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
}

/// The row as it would be with the classes of `after`; nothing where its class is gone.
std::optional<std::string> row_after(const Shape& shape, const std::vector<int>& class_map) {
  if (!shape.is_box) return shape.row;
  const int number = mapped(shape, class_map);
  if (number < 0) return std::nullopt;
  const bool yolo = !shape.row.starts_with('{');
  if (yolo && shape.row.find(' ') == std::string::npos) return std::nullopt;  // no annotation text
  return with_class(shape, yolo, number);
}

/// Takes away what stands in both, row by row. With another order of classes the rows differ in
/// the number of the class alone.
void match_equal(const std::vector<Shape>& before, const std::vector<Shape>& after,
                 const std::vector<int>& class_map, std::vector<bool>& used_before,
                 std::vector<bool>& used_after) {
  const bool same_numbers = keeps_numbers(class_map);
  std::unordered_multimap<std::string, std::size_t> rows;
  for (std::size_t i = before.size(); i-- > 0;) {
    std::optional<std::string> row = before[i].row;
    if (!same_numbers) row = row_after(before[i], class_map);
    if (row) rows.emplace(std::move(*row), i);
  }
  for (std::size_t k = 0; k < after.size(); ++k)
    if (const auto found = rows.find(after[k].row); found != rows.end()) {
      used_before[found->second] = used_after[k] = true;
      rows.erase(found);
    }
}

BoxChange kind_of(const Shape& before, const Shape& after, bool same_class) {
  if (!same_class) return BoxChange::reclassed;
  return same_box(before.box, after.box) ? BoxChange::detail : BoxChange::moved;
}

}  // namespace

std::vector<ShapeDiff> diff_shapes(const std::vector<Shape>& before,
                                   const std::vector<Shape>& after,
                                   const std::vector<int>& class_map) {
  std::vector<bool> used_before(before.size()), used_after(after.size());
  match_equal(before, after, class_map, used_before, used_after);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < before.size(); ++i)
    for (std::size_t k = 0; k < after.size(); ++k) {
      if (used_before[i] || used_after[k] || !before[i].is_box || !after[k].is_box) continue;
      const double both =
          same_box(before[i].box, after[k].box) ? 1 : iou(before[i].box, after[k].box);
      if (both >= least_iou)
        pairs.push_back({both, mapped(before[i], class_map) == after[k].class_index,
                         static_cast<int>(i), static_cast<int>(k)});
    }
  std::sort(pairs.begin(), pairs.end(), better);
  std::vector<ShapeDiff> result;
  for (const Pair& pair : pairs) {
    const auto i = static_cast<std::size_t>(pair.before), k = static_cast<std::size_t>(pair.after);
    if (used_before[i] || used_after[k]) continue;
    used_before[i] = used_after[k] = true;
    result.push_back(
        {kind_of(before[i], after[k], pair.same_class), pair.before, pair.after, pair.iou});
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    if (!used_before[i]) result.push_back({BoxChange::removed, static_cast<int>(i), -1, 0});
  for (std::size_t k = 0; k < after.size(); ++k)
    if (!used_after[k]) result.push_back({BoxChange::added, -1, static_cast<int>(k), 0});
  std::sort(result.begin(), result.end(), [](const ShapeDiff& a, const ShapeDiff& b) {
    return std::tuple(a.before < 0, a.before, a.after) <
           std::tuple(b.before < 0, b.before, b.after);
  });
  return result;
}

}  // namespace yolov7::versions
