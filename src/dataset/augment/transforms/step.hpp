#pragma once
// One step of an augmentation list: a transform, and when and how often it is done.
#include <memory>
#include <string>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// What every element of the list may say besides the transform's own parameters.
struct StepOptions {
  std::string name;
  double p = -1;  ///< probability; −1 = the transform's default
  std::string
      when;  ///< "picture" = before the mosaic, on each picture; "" = the transform's own stage
  BoxFilter filter;
};
Settings settings(StepOptions& options);

/// One element of the list, ready to run. It may be shared by threads.
struct AugmentStep {
  const TransformEntry* entry = nullptr;
  std::shared_ptr<Transform> transform;
  StepOptions options;
  Stage stage = Stage::pixels;

  double probability() const { return options.p < 0 ? entry->probability : options.p; }
  /// Draws whether, then applies. `random` is this step's own stream.
  void run(Sample& sample, Random& random, const TransformContext& context) const;
};

}  // namespace yolov7::dataset
