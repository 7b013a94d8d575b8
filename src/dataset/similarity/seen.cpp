#include "dataset/similarity/seen.hpp"

#include "dataset/similarity/likeness.hpp"

namespace yolov7::dataset::similarity {
namespace {

constexpr double least_cosine = 0.72;  // as in the search for candidates

/// Whether their directions are alike at some cut of one of the two.
bool worth_a_look(const Sketch& a, const Sketch& b) {
  for (std::size_t i = 0; i < cuts.size(); ++i)
    if (cosine(a.directions[0], b.directions[i]) >= least_cosine ||
        cosine(a.directions[i], b.directions[0]) >= least_cosine)
      return true;
  return false;
}

}  // namespace

std::optional<std::size_t> SeenImages::same_as(const Sketch& sketch) const {
  if (sketch.plain != 0) return std::nullopt;
  for (std::size_t i = sketches_.size(); i-- > 0;)
    if (sketches_[i].plain == 0 && worth_a_look(sketches_[i], sketch) &&
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
