#pragma once
// Strengths of the standard training pipeline (data 8); names and defaults are those of the
// hyper-parameter files.
#include <string>
#include <vector>

namespace yolov7 {
struct Setting;
}

namespace yolov7::dataset {

struct AugmentOptions {
  double hsv_h = 0.015, hsv_s = 0.7, hsv_v = 0.4;
  double degrees = 0, translate = 0.2, scale = 0.9, shear = 0, perspective = 0;
  double flipud = 0, fliplr = 0.5;
  double mosaic = 1, mixup = 0.15, copy_paste = 0, paste_in = 0.15;
  double mosaic9 = 0.2;  ///< share of nine-tile mosaics
  std::string augment;  ///< further transforms (transforms/catalogue.hpp), as a list in flow style;
                        ///< "" = none
};

/// The keys of a hyper-parameter file that these members are.
std::vector<Setting> settings(AugmentOptions& options);

}  // namespace yolov7::dataset
