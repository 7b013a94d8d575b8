#include "dataset/augment/transforms/step.hpp"

namespace yolov7::dataset {

Settings settings(StepOptions& o) {
  return Settings{
      "step",
      {
          setting("name", o.name, "transform"),
          setting("p", o.p, "probability; -1 = the transform's default").range(-1, 1),
          setting("when", o.when, "picture = before the mosaic, on each image")
              .choices({"", "picture"}),
          setting("min_visibility", o.filter.min_visibility,
                  "least share of an object's area that must remain")
              .range(0, 1),
          setting("min_area", o.filter.min_area, "least area of a box, px²").range(0, 1e9),
          setting("clip", o.filter.clip, "boxes are cut at the border"),
      }};
}

void AugmentStep::run(Sample& sample, Random& random, const TransformContext& context) const {
  if (!random.chance(probability())) return;
  TransformContext own = context;
  own.filter = options.filter;
  if (context.applied != nullptr) context.applied->emplace_back(entry->name);
  transform->apply(sample, random, own);
}

}  // namespace yolov7::dataset
