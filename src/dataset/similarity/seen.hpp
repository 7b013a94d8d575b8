#pragma once
// Images that come one after the other: does one show what an earlier one shows (data-services D2)?
#include <cstddef>
#include <deque>
#include <optional>

#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

/// Keeps the newest sketches, some 4.5 kB each.
class SeenImages {
 public:
  explicit SeenImages(std::size_t most = 5000) : most_(most) {}
  /// Number of the newest image that shows the same, counted from 0 in the order of add(). Nothing:
  /// there is none among those that are kept, or the image is plain.
  std::optional<std::size_t> same_as(const Sketch& sketch) const;
  void add(const Sketch& sketch);

 private:
  std::size_t most_, first_ = 0;  ///< number of the oldest that is kept
  std::deque<Sketch> sketches_;
};

}  // namespace yolov7::dataset::similarity
