#pragma once
// What differs between two versions, down to the box (data-services E4).
#include <array>
#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "versions/annotations.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {

enum class BoxChange {
  added,
  removed,
  moved,      ///< the same class, another place
  reclassed,  ///< another class; perhaps another place, too
  detail      ///< the same box and class; polygon, mask or attributes differ
};
inline constexpr std::size_t box_changes = 5;
inline constexpr std::array<const char*, box_changes> box_change_names = {
    "added", "removed", "moved", "re-classed", "other properties"};

struct ShapeDiff {
  BoxChange kind = BoxChange::added;
  int before = -1, after = -1;  ///< places in the two lists; −1 = in none
  double iou = 0;               ///< of the two boxes
};

/// Equal rows first; then pairs of boxes by falling IoU, from 0.5 on, the same class before
/// another one; what is left is removed or added. `class_map`: the class in `after` that is class i
/// of `before`, −1 = none.
std::vector<ShapeDiff> diff_shapes(const std::vector<Shape>& before,
                                   const std::vector<Shape>& after,
                                   const std::vector<int>& class_map);

struct ImageDiff {
  std::string path, split;
  std::vector<ShapeDiff> boxes;
  Annotations before, after;
  bool order_only = false;  ///< the same rows in another order
  bool now_annotated = false, no_longer_annotated = false;
  bool image_properties = false;  ///< size, id, tags or attributes of the image differ
};

struct PathPair {
  std::string before, after;
};

struct Diff {
  std::vector<std::string> classes_added, classes_removed;
  std::vector<PathPair> classes_renamed;
  bool classes_reordered = false;
  /// Classes with the same name and another id, supercategory or colour.
  std::vector<std::string> classes_with_other_properties;
  bool other_kpt_shape = false;
  bool other_recipe = false;
  std::vector<Item> images_added, images_removed;
  std::vector<std::pair<Item, Item>> images_replaced;  ///< other bytes at the same path
  std::vector<std::pair<Item, Item>> images_renamed;   ///< the same bytes at another path
  std::vector<std::pair<Item, Item>> images_moved;     ///< to another split
  std::vector<ImageDiff> labels;                       ///< images whose annotations differ
  std::array<std::size_t, box_changes> boxes{};
  /// By class, in the names of the version after (removed: of the one before).
  std::vector<std::pair<std::string, std::array<std::size_t, box_changes>>> by_class;
  std::size_t images_compared = 0;  ///< of pages that differ

  bool empty() const;
};

/// Names that are in both lists stand for the same class; a class whose name is new at the place of
/// one whose name is gone is that class, renamed.
std::vector<int> match_class_lists(const ClassList& before, const ClassList& after);
/// Whether every class keeps its number: then equal annotations mean equal classes.
bool keeps_numbers(const std::vector<int>& class_map);

/// Pages that are equal are not looked at.
Diff diff_versions(Store& store, const Digest& before, const Digest& after);
/// The same for contents, with a function that gives annotation texts.
Diff diff_contents(const Content& before, const Content& after,
                   const std::function<std::string(const Digest&)>& text);

nlohmann::json to_json(const Diff& diff, const ClassList& before, const ClassList& after);
/// For people: one line for each kind of change with at most `most` names, then the numbers of
/// changed boxes, in total and by class.
std::vector<std::string> summary_lines(const Diff& diff, std::size_t most);

}  // namespace yolov7::versions
