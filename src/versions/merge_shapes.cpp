#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json.hpp"
#include "versions/diff.hpp"
#include "versions/merge.hpp"

namespace yolov7::versions {
namespace {

constexpr double same_box = 0.95;

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

  static std::vector<Shape> added_of(const Side& side) {
    std::vector<Shape> added;
    for (const int place : side.added)
      added.push_back(side.shapes[static_cast<std::size_t>(place)]);
    return added;
  }

  /// Additions of both sides that mean one object: equal rows first, then by falling IoU, so that
  /// no box takes the partner that another one fits better.
  void merge_added() {
    const std::vector<Shape> ours = added_of(ours_), theirs = added_of(theirs_);
    std::vector<std::optional<ShapeDiff>> pairs(ours.size());  // nothing: theirs has the same row
    std::vector<std::size_t> of_theirs;
    for (const ShapeDiff& one : diff_shapes(ours, theirs, same_numbers(ours, theirs))) {
      if (one.before < 0)
        of_theirs.push_back(static_cast<std::size_t>(one.after));
      else
        pairs[static_cast<std::size_t>(one.before)] = one;
    }
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (pairs[i] && pairs[i]->after < 0) {
        ++result_.from_ours;
        take(&ours[i]);
        continue;
      }
      const Shape& other = pairs[i] ? theirs[static_cast<std::size_t>(pairs[i]->after)] : ours[i];
      if (!pairs[i] || (pairs[i]->iou >= same_box && ours[i].class_index == other.class_index)) {
        ++result_.alike;
        take(&ours[i]);
      } else {
        conflict(nullptr, &ours[i], &other);
      }
    }
    for (const std::size_t k : of_theirs) {
      ++result_.from_theirs;
      take(&theirs[k]);
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
