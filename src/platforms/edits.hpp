#pragma once
// What people made of suggestions.
#include <cstddef>

namespace yolov7::platforms {

/// How the boxes of a pre-label fared.
struct Edits {
  std::size_t kept = 0, moved = 0, relabelled = 0, removed = 0, added = 0;
  std::size_t all() const { return kept + moved + relabelled + removed + added; }
  double touched() const {
    return all() == 0 ? 0 : 1 - static_cast<double>(kept) / static_cast<double>(all());
  }
  Edits& operator+=(const Edits& other) {
    kept += other.kept, moved += other.moved, relabelled += other.relabelled;
    removed += other.removed, added += other.added;
    return *this;
  }
  bool operator==(const Edits&) const = default;
};

}  // namespace yolov7::platforms
