#include "dataset/augment/augment.hpp"

#include <gtest/gtest.h>

#include "core/settings.hpp"
#include "core/value.hpp"

namespace yolov7::dataset {
namespace {

// As a hyper-parameter file has them, each another value.
TEST(AugmentSettings, EachKeyIsItsMember) {
  AugmentOptions o;
  assign(Settings{"hyper-parameters", settings(o)},
         parse_yaml("hsv_h: 0.01\nhsv_s: 0.02\nhsv_v: 0.03\ndegrees: 4\ntranslate: 0.05\n"
                    "scale: 0.06\nshear: 7\nperspective: 0.0008\nflipud: 0.09\nfliplr: 0.1\n"
                    "mosaic: 0.11\nmixup: 0.12\ncopy_paste: 0.13\npaste_in: 0.14\n"
                    "augment: '[{name: CLAHE}]'\n",
                    "hyp.yaml"));
  EXPECT_EQ(o.hsv_h, 0.01);
  EXPECT_EQ(o.hsv_s, 0.02);
  EXPECT_EQ(o.hsv_v, 0.03);
  EXPECT_EQ(o.degrees, 4);
  EXPECT_EQ(o.translate, 0.05);
  EXPECT_EQ(o.scale, 0.06);
  EXPECT_EQ(o.shear, 7);
  EXPECT_EQ(o.perspective, 0.0008);
  EXPECT_EQ(o.flipud, 0.09);
  EXPECT_EQ(o.fliplr, 0.1);
  EXPECT_EQ(o.mosaic, 0.11);
  EXPECT_EQ(o.mixup, 0.12);
  EXPECT_EQ(o.copy_paste, 0.13);
  EXPECT_EQ(o.paste_in, 0.14);
  EXPECT_EQ(o.augment, "[{name: CLAHE}]");
}

}  // namespace
}  // namespace yolov7::dataset
