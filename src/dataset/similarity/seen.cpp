#include "dataset/similarity/seen.hpp"

#include "dataset/similarity/candidates.hpp"
#include "dataset/similarity/likeness.hpp"

namespace yolov7::dataset::similarity {

std::optional<std::size_t> SeenImages::same_as(const Sketch& sketch) const {
  if (sketch.plain != 0) return std::nullopt;
  for (std::size_t i = sketches_.size(); i-- > 0;)
    if (sketches_[i].plain == 0 && are_candidates(sketches_[i], sketch) &&
        compare(sketches_[i], sketch).near)
      return first_ + i;
  return std::nullopt;
}

void SeenImages::add(const Sketch& sketch) {
  if (most_ == 0) return;
  if (sketches_.size() == most_) sketches_.pop_front(), ++first_;
  sketches_.push_back(sketch);
}

}  // namespace yolov7::dataset::similarity
