#pragma once
// Merges two versions that have a common ancestor, box by box (data-services E9).
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/annotations.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {

/// Something that both sides changed, each in its own way.
struct Conflict {
  std::string path;                ///< of an image; "" = of the classes
  std::string what;                ///< "box", "image", "split", "annotations", "class"
  std::string base, ours, theirs;  ///< the value in each version; "" = absent
};

enum class OnConflict { fail, ours, theirs };

struct MergedShapes {
  std::vector<Shape> shapes;  ///< rows of the base in their order, then what ours and theirs added
  std::vector<Conflict> conflicts;             ///< without a path
  std::size_t from_ours = 0, from_theirs = 0;  ///< changed, added and removed boxes
  std::size_t alike = 0;                       ///< changes that both sides made alike
};

/// In all three lists a class number means the same class. A box that only one side changed is
/// taken from that side. Two boxes that the sides added count as one if their rows are equal, or if
/// their IoU is at least 0.95 and their class is the same; ours is taken. With an IoU from 0.5 on
/// they are otherwise a conflict. `prefer` decides conflicts; with OnConflict::fail the box of the
/// base is kept.
MergedShapes merge_shapes(const std::vector<Shape>& base, const std::vector<Shape>& ours,
                          const std::vector<Shape>& theirs, OnConflict prefer);

struct MergeOptions {
  std::string ours, theirs;  ///< references
  std::string base;          ///< "": the newest version that both come from
  OnConflict on_conflict = OnConflict::fail;
  std::string name;  ///< of the data set that gets the version; "": that of ours
  std::string message, author;
  std::stop_token stop = {};
};

struct Merged {
  /// Nothing: there were conflicts and OnConflict::fail; no version was written.
  std::optional<Entry> entry;
  bool already_there = false;
  Entry base, ours, theirs;
  std::vector<Conflict> conflicts;                           ///< also those that were decided
  std::size_t images_from_ours = 0, images_from_theirs = 0;  ///< added, removed or replaced
  std::size_t boxes_from_ours = 0, boxes_from_theirs = 0, boxes_alike = 0;
};

/// Errors: an unknown reference, an invalid name, no common version (name one as base), different
/// kpt_shape, a damaged store, stopped_error().
Merged merge(Store& store, const MergeOptions& options);

/// The newest version that is an ancestor of both; each version counts as its own ancestor.
/// Nothing: there is none.
std::optional<Digest> common_ancestor(const std::vector<Entry>& history, const Entry& ours,
                                      const Entry& theirs);

/// The merged class list, and for each of the three lists the new number of every class.
struct MergedClasses {
  ClassList classes;
  std::vector<int> of_base, of_ours, of_theirs;  ///< −1 = none
  std::vector<Conflict> conflicts;
};
/// Error: another kpt_shape in one of the three, because rows of one cannot be read as those of
/// another.
MergedClasses merge_classes(const ClassList& base, const ClassList& ours, const ClassList& theirs,
                            OnConflict prefer);
/// The row of `shape` with this class number. `yolo`: a row of a label file; else a JSON object.
/// Rows that are no boxes are returned unchanged.
std::string with_class(const Shape& shape, bool yolo, int class_index);

}  // namespace yolov7::versions
