#pragma once
// Transforms made of transforms (data 13, row 109), and transforms of each box's own pixels (row
// 108).
#include <vector>

#include "dataset/augment/transforms/step.hpp"

namespace yolov7::dataset {

/// Holds the list under `transforms:`.
class Combinator : public Transform {
 public:
  virtual void add(AugmentStep step) { steps_.push_back(std::move(step)); }

 protected:
  std::vector<AugmentStep> steps_;
};

/// `others`: the transforms that are none of these, from which those on each box take theirs.
std::vector<TransformEntry> combinators(const std::vector<TransformEntry>& others);

}  // namespace yolov7::dataset
