#include "dataset/augment/transforms/auto_augment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "dataset/augment/transforms/auto_augment_operations.hpp"

namespace yolov7::dataset {
namespace {

std::vector<SubPolicy> first_policy() {
  return {{{"TranslateX_BBox", 0.6, 4}, {"Equalize", 0.8, 10}},
          {{"TranslateY_Only_BBoxes", 0.2, 2}, {"Cutout", 0.8, 8}},
          {{"Sharpness", 0.0, 8}, {"ShearX_BBox", 0.4, 0}},
          {{"ShearY_BBox", 1.0, 2}, {"TranslateY_Only_BBoxes", 0.6, 6}},
          {{"Rotate_BBox", 0.6, 10}, {"Color", 1.0, 6}}};
}

/// v0, then fifteen more.
std::vector<SubPolicy> second_policy() {
  std::vector<SubPolicy> all = first_policy();
  const std::vector<SubPolicy> more = {
      {{"Color", 0.0, 0}, {"ShearX_Only_BBoxes", 0.8, 4}},
      {{"ShearY_Only_BBoxes", 0.8, 2}, {"Flip_Only_BBoxes", 0.0, 10}},
      {{"Equalize", 0.6, 10}, {"TranslateX_BBox", 0.2, 2}},
      {{"Color", 1.0, 10}, {"TranslateY_Only_BBoxes", 0.4, 6}},
      {{"Rotate_BBox", 0.8, 10}, {"Contrast", 0.0, 10}},
      {{"Cutout", 0.2, 2}, {"Brightness", 0.8, 10}},
      {{"Color", 1.0, 6}, {"Equalize", 1.0, 2}},
      {{"Cutout_Only_BBoxes", 0.4, 6}, {"TranslateY_Only_BBoxes", 0.8, 2}},
      {{"Color", 0.2, 8}, {"Rotate_BBox", 0.8, 10}},
      {{"Sharpness", 0.4, 4}, {"TranslateY_Only_BBoxes", 0.0, 4}},
      {{"Sharpness", 1.0, 4}, {"SolarizeAdd", 0.4, 4}},
      {{"Rotate_BBox", 1.0, 8}, {"Sharpness", 0.2, 8}},
      {{"ShearY_BBox", 0.6, 10}, {"Equalize_Only_BBoxes", 0.6, 8}},
      {{"ShearX_BBox", 0.2, 6}, {"TranslateY_Only_BBoxes", 0.2, 10}},
      {{"SolarizeAdd", 0.6, 8}, {"Brightness", 0.8, 10}}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<SubPolicy> third_policy() {
  return {{{"Color", 0.0, 6}, {"Cutout", 0.6, 8}, {"Sharpness", 0.4, 8}},
          {{"Rotate_BBox", 0.4, 8}, {"Sharpness", 0.4, 2}, {"Rotate_BBox", 0.8, 10}},
          {{"TranslateY_BBox", 1.0, 8}, {"AutoContrast", 0.8, 2}},
          {{"AutoContrast", 0.4, 6}, {"ShearX_BBox", 0.8, 8}, {"Brightness", 0.0, 10}},
          {{"SolarizeAdd", 0.2, 6}, {"Contrast", 0.0, 10}, {"AutoContrast", 0.6, 0}},
          {{"Cutout", 0.2, 0}, {"Solarize", 0.8, 8}, {"Color", 1.0, 4}},
          {{"TranslateY_BBox", 0.0, 4}, {"Equalize", 0.6, 8}, {"Solarize", 0.0, 10}},
          {{"TranslateY_BBox", 0.2, 2}, {"ShearY_BBox", 0.8, 8}, {"Rotate_BBox", 0.8, 8}},
          {{"Cutout", 0.8, 8}, {"Brightness", 0.8, 8}, {"Cutout", 0.2, 2}},
          {{"Color", 0.8, 4}, {"TranslateY_BBox", 1.0, 6}, {"Rotate_BBox", 0.6, 6}},
          {{"Rotate_BBox", 0.6, 10}, {"BBox_Cutout", 1.0, 4}, {"Cutout", 0.2, 8}},
          {{"Rotate_BBox", 0.0, 0}, {"Equalize", 0.6, 6}, {"ShearY_BBox", 0.6, 8}},
          {{"Brightness", 0.8, 8}, {"AutoContrast", 0.4, 2}, {"Brightness", 0.2, 2}},
          {{"TranslateY_BBox", 0.4, 8}, {"Solarize", 0.4, 6}, {"SolarizeAdd", 0.2, 10}},
          {{"Contrast", 1.0, 10}, {"SolarizeAdd", 0.2, 8}, {"Equalize", 0.2, 4}}};
}

std::vector<SubPolicy> fourth_policy() {
  return {{{"Posterize", 0.8, 2}, {"TranslateX_BBox", 1.0, 8}},
          {{"BBox_Cutout", 0.2, 10}, {"Sharpness", 1.0, 8}},
          {{"Rotate_BBox", 0.6, 8}, {"Rotate_BBox", 0.8, 10}},
          {{"Equalize", 0.8, 10}, {"AutoContrast", 0.2, 10}},
          {{"SolarizeAdd", 0.2, 2}, {"TranslateY_BBox", 0.2, 8}},
          {{"Sharpness", 0.0, 2}, {"Color", 0.4, 8}},
          {{"Equalize", 1.0, 8}, {"TranslateY_BBox", 1.0, 8}},
          {{"Posterize", 0.6, 2}, {"Rotate_BBox", 0.0, 10}},
          {{"AutoContrast", 0.6, 0}, {"Rotate_BBox", 1.0, 6}},
          {{"Equalize", 0.0, 4}, {"Cutout", 0.8, 10}},
          {{"Brightness", 1.0, 2}, {"TranslateY_BBox", 1.0, 6}},
          {{"Contrast", 0.0, 2}, {"ShearY_BBox", 0.8, 0}},
          {{"AutoContrast", 0.8, 10}, {"Contrast", 0.2, 10}},
          {{"Rotate_BBox", 1.0, 10}, {"Cutout", 1.0, 10}},
          {{"SolarizeAdd", 0.8, 6}, {"Equalize", 0.8, 8}}};
}

// Draws: the sub-policy; then those of its operations in order.
struct AutoAugment {
  std::string policy = "v0";
  bool scale_pixels = false, published_contrast = false;
};
Settings settings(AutoAugment& o) {
  return Settings{
      "AutoAugment",
      {
          setting("policy", o.policy, "learned policy; v0 is that of the paper's results")
              .choices({"v0", "v1", "v2", "v3"}),
          setting("scale_pixels", o.scale_pixels,
                  "constants in pixels are multiplied by the longer side / 640"),
          setting("published_contrast", o.published_contrast,
                  "Contrast with the authors' mean grey, which is white for ordinary images"),
      }};
}
void apply(const AutoAugment& o, Sample& sample, Random& random, const TransformContext& context) {
  const std::vector<SubPolicy>& all = detection_policy(o.policy);
  PolicyOptions options;
  options.filter = context.filter;
  options.published_contrast = o.published_contrast;
  if (o.scale_pixels)
    options.pixel_scale = std::max(sample.picture.cols, sample.picture.rows) / 640.0;
  const SubPolicy& chosen =
      all[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(all.size()) - 1))];
  for (const PolicyEntry& one : chosen)
    apply_policy_operation(*find_policy_operation(one.operation), one.probability, one.level,
                           sample, random, options);
}

}  // namespace

const std::vector<SubPolicy>& detection_policy(std::string_view name) {
  static const std::vector<SubPolicy> v0 = first_policy(), v1 = second_policy(),
                                      v2 = third_policy(), v3 = fourth_policy();
  if (name == "v0") return v0;
  if (name == "v1") return v1;
  if (name == "v2") return v2;
  if (name == "v3") return v3;
  throw Error(fmt::format("AutoAugment: expected policy v0, v1, v2 or v3, found '{}'", name));
}

std::vector<TransformEntry> policy_transforms() {
  return {entry<AutoAugment>("AutoAugment", BoxRule::parts, Stage::policy, 1,
                             "One sub-policy of a learned policy for detection")};
}

}  // namespace yolov7::dataset
