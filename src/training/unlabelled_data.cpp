#include "training/unlabelled_data.hpp"

#include <algorithm>
#include <utility>

namespace yolov7::training {
namespace {

/// Liu et al., "Unbiased Teacher" (arXiv 2102.09480), appendix: colour jitter, grey, blur, cutout.
constexpr const char* strong_list =
    "[{name: ColorJitter, p: 0.8, brightness: [0.6, 1.4], contrast: [0.6, 1.4], "
    "saturation: [0.6, 1.4], hue: [-0.1, 0.1]}, {name: ToGray, p: 0.2}, "
    "{name: GaussianBlur, p: 0.5, sigma: [0.5, 2]}, {name: Erasing, p: 0.7, scale: [0.05, 0.2]}, "
    "{name: Erasing, p: 0.3, scale: [0.02, 0.2]}]";

}  // namespace

dataset::LoaderOptions weak_view(dataset::LoaderOptions o, int batch) {
  o.batch_size = batch;
  o.shuffle = true;
  o.rectangular = o.quad = false;
  o.weights = nullptr;
  o.drawn_share = -1;
  o.drawn = nullptr;
  dataset::AugmentOptions& a = o.augmentation;
  a.mosaic = a.mixup = a.copy_paste = a.paste_in = 0;
  a.hsv_h = a.hsv_s = a.hsv_v = 0;
  a.degrees = a.shear = a.perspective = 0;
  a.scale = std::min(a.scale, 0.5);
  a.translate = std::min(a.translate, 0.1);
  a.augment.clear();
  return o;
}

dataset::LoaderOptions strong_view(dataset::LoaderOptions options, int batch) {
  dataset::LoaderOptions o = weak_view(std::move(options), batch);
  o.augmentation.augment = strong_list;
  return o;
}

}  // namespace yolov7::training
