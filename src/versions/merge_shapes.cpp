#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "versions/diff.hpp"
#include "versions/merge.hpp"

namespace yolov7::versions {
namespace {

constexpr double same_object = 0.5, same_box = 0.95;

/// What a side did to each row of the base, and what it added.
struct Side {
  enum class Deed { kept, removed, changed };
  std::vector<Deed> deeds;
  std::vector<int> now;    ///< place in its list, for changed rows
  std::vector<int> added;  ///< places in its list
  const std::vector<Shape>& shapes;
};

std::vector<int> same_numbers(const std::vector<Shape>& a, const std::vector<Shape>& b) {
  int most = -1;
  for (const auto* list : {&a, &b})
    for (const Shape& shape : *list) most = std::max(most, shape.class_index);
  std::vector<int> map(static_cast<std::size_t>(most + 1));
  for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<int>(i);
  return map;
}

Side side_of(const std::vector<Shape>& base, const std::vector<Shape>& shapes) {
  Side side{std::vector<Side::Deed>(base.size(), Side::Deed::kept),
            std::vector<int>(base.size(), -1),
            {},
            shapes};
  for (const ShapeDiff& one : diff_shapes(base, shapes, same_numbers(base, shapes))) {
    if (one.before < 0) {
      side.added.push_back(one.after);
      continue;
    }
    const auto place = static_cast<std::size_t>(one.before);
    side.deeds[place] = one.after < 0 ? Side::Deed::removed : Side::Deed::changed;
    side.now[place] = one.after;
  }
  return side;
}

/// The row that a side has for one of the base; nullptr: removed.
const Shape* row_of(const Side& side, const std::vector<Shape>& base, std::size_t i) {
  if (side.deeds[i] == Side::Deed::removed) return nullptr;
  return side.deeds[i] == Side::Deed::kept ? &base[i]
                                           : &side.shapes[static_cast<std::size_t>(side.now[i])];
}

std::string text_of_row(const Shape* shape) { return shape == nullptr ? "" : shape->row; }

class Merging {
 public:
  Merging(const std::vector<Shape>& base, const std::vector<Shape>& ours,
          const std::vector<Shape>& theirs, OnConflict prefer)
      : base_(base), ours_(side_of(base, ours)), theirs_(side_of(base, theirs)), prefer_(prefer) {}

  MergedShapes merge() {
    for (std::size_t i = 0; i < base_.size(); ++i) merge_row(i);
    merge_added();
    return std::move(result_);
  }

 private:
  void take(const Shape* shape) {
    if (shape != nullptr) result_.shapes.push_back(*shape);
  }
  void conflict(const Shape* base, const Shape* ours, const Shape* theirs) {
    result_.conflicts.push_back(
        {{}, "box", text_of_row(base), text_of_row(ours), text_of_row(theirs)});
    take(prefer_ == OnConflict::ours ? ours : prefer_ == OnConflict::theirs ? theirs : base);
  }

  void merge_row(std::size_t i) {
    const Shape *base = &base_[i], *ours = row_of(ours_, base_, i),
                *theirs = row_of(theirs_, base_, i);
    const bool ours_changed = ours_.deeds[i] != Side::Deed::kept;
    const bool theirs_changed = theirs_.deeds[i] != Side::Deed::kept;
    if (!ours_changed || !theirs_changed) {
      result_.from_ours += ours_changed ? 1 : 0;
      result_.from_theirs += theirs_changed ? 1 : 0;
      take(ours_changed ? ours : theirs);
    } else if (text_of_row(ours) == text_of_row(theirs)) {
      ++result_.alike;
      take(ours);
    } else {
      conflict(base, ours, theirs);
    }
  }

  /// Additions of both sides that mean one object.
  void merge_added() {
    std::vector<bool> met(theirs_.added.size());
    for (const int place : ours_.added) {
      const Shape& ours = ours_.shapes[static_cast<std::size_t>(place)];
      std::size_t best = met.size();
      double most = 0;
      for (std::size_t k = 0; k < met.size(); ++k) {
        const Shape& theirs = theirs_.shapes[static_cast<std::size_t>(theirs_.added[k])];
        const double both = ours.row == theirs.row         ? 2
                            : ours.is_box && theirs.is_box ? iou(ours.box, theirs.box)
                                                           : 0;
        if (!met[k] && both >= same_object && both > most) best = k, most = both;
      }
      if (best == met.size()) {
        ++result_.from_ours;
        take(&ours);
        continue;
      }
      met[best] = true;
      const Shape& theirs = theirs_.shapes[static_cast<std::size_t>(theirs_.added[best])];
      if (most >= same_box && ours.class_index == theirs.class_index) {
        ++result_.alike;
        take(&ours);
      } else {
        conflict(nullptr, &ours, &theirs);
      }
    }
    for (std::size_t k = 0; k < met.size(); ++k)
      if (!met[k]) {
        ++result_.from_theirs;
        take(&theirs_.shapes[static_cast<std::size_t>(theirs_.added[k])]);
      }
  }

  const std::vector<Shape>& base_;
  Side ours_, theirs_;
  OnConflict prefer_;
  MergedShapes result_;
};

}  // namespace

MergedShapes merge_shapes(const std::vector<Shape>& base, const std::vector<Shape>& ours,
                          const std::vector<Shape>& theirs, OnConflict prefer) {
  return Merging(base, ours, theirs, prefer).merge();
}

std::string with_class(const Shape& shape, bool yolo, int class_index) {
  if (!shape.is_box || shape.class_index == class_index) return shape.row;
  if (yolo) return std::to_string(class_index) + shape.row.substr(shape.row.find(' '));
  nlohmann::json row = parse_json(shape.row, "annotations");
  row["class"] = class_index;
  return json_text(row);
}

}  // namespace yolov7::versions
