#pragma once
// Two versions that come from one, joined box by box (data-services E9).
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/annotations.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {

/// What both sides changed in different ways.
struct Conflict {
  std::string path;                ///< of an image; "" = of the classes
  std::string what;                ///< "box", "image", "split", "annotations", "class"
  std::string base, ours, theirs;  ///< "" = absent there
};

enum class OnConflict { fail, ours, theirs };

struct MergedShapes {
  std::vector<Shape> shapes;  ///< rows of the base in their order, then what ours and theirs added
  std::vector<Conflict> conflicts;             ///< without a path
  std::size_t from_ours = 0, from_theirs = 0;  ///< changed, added and removed boxes
  std::size_t alike = 0;                       ///< changes that both sides made alike
};

/// All three have the same numbers of classes. A box that one side changed is taken from it; boxes
/// that both added count as one where their IoU is 0.95 or more and their class is the same (ours
/// is taken), and as a conflict from 0.5 on. `prefer` decides conflicts; with `fail` the base
/// stays.
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
  std::optional<Entry> entry;  ///< nothing: conflicts, and nothing was written
  bool already_there = false;
  Entry base, ours, theirs;
  std::vector<Conflict> conflicts;                           ///< also those that were decided
  std::size_t images_from_ours = 0, images_from_theirs = 0;  ///< added, removed or replaced
  std::size_t boxes_from_ours = 0, boxes_from_theirs = 0, boxes_alike = 0;
};

/// Errors: no common version (name one as base), a damaged store, stopped_error().
Merged merge(Store& store, const MergeOptions& options);

/// The newest version that both come from, by their parents. Nothing: there is none.
std::optional<Digest> common_ancestor(const std::vector<Entry>& history, const Entry& ours,
                                      const Entry& theirs);

/// A list that has the classes of both, and the new number of each class of the three.
struct MergedClasses {
  ClassList classes;
  std::vector<int> of_base, of_ours, of_theirs;  ///< −1 = none
  std::vector<Conflict> conflicts;
};
MergedClasses merge_classes(const ClassList& base, const ClassList& ours, const ClassList& theirs,
                            OnConflict prefer);
/// The row with another class number.
std::string with_class(const Shape& shape, bool yolo, int class_index);

}  // namespace yolov7::versions
