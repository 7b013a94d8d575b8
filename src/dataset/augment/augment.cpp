#include "dataset/augment/augment.hpp"

#include "core/settings.hpp"

namespace yolov7::dataset {

std::vector<Setting> settings(AugmentOptions& a) {
  return {
      setting("hsv_h", a.hsv_h, "hue gain").range(0, 1),
      setting("hsv_s", a.hsv_s, "saturation gain").range(0, 1),
      setting("hsv_v", a.hsv_v, "value gain").range(0, 1),
      setting("degrees", a.degrees, "rotation, ± degrees").range(0, 180),
      setting("translate", a.translate, "translation, ± fraction").range(0, 1),
      setting("scale", a.scale, "scale range").range(0, 1),
      setting("shear", a.shear, "shear, ± degrees").range(0, 89),
      setting("perspective", a.perspective, "perspective").range(0, 0.01),
      setting("flipud", a.flipud, "probability of a vertical flip").range(0, 1),
      setting("fliplr", a.fliplr, "probability of a horizontal flip").range(0, 1),
      setting("mosaic", a.mosaic, "probability of a mosaic").range(0, 1),
      setting("mixup", a.mixup, "probability of mixup").range(0, 1),
      setting("copy_paste", a.copy_paste, "fraction of polygons copied").range(0, 1),
      setting("paste_in", a.paste_in, "probability of paste-in").range(0, 1),
      setting("augment", a.augment,
              "further transforms: a list of {name: …, p: …, parameters}; `yolov7 dataset augment "
              "--list` shows all"),
  };
}

}  // namespace yolov7::dataset
