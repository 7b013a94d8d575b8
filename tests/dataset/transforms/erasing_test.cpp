#include "dataset/transforms/erasing.hpp"

#include <gtest/gtest.h>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

TEST(ErasingTransforms, KeepTheCommonRules) { check_common_rules(erasing_transforms()); }

}  // namespace
}  // namespace yolov7::dataset
