// Which epochs have a teacher, and what needs one.
#include "run/distill_options.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

// 6 % of 100 epochs are six, of 30 two (1.8), of 8 none (0.48).
TEST(DistillOptions, TheLastEpochsGoWithoutTheTeacher) {
  DistillOptions o;
  o.teacher = "t.pt";
  EXPECT_EQ(off_epochs(o, 100, 0), 6);
  EXPECT_EQ(off_epochs(o, 30, 0), 2);
  EXPECT_EQ(off_epochs(o, 8, 0), 0);
  EXPECT_EQ(off_epochs(o, 100, 10), 10) << "those without mosaic";
  o.off = 3;
  EXPECT_EQ(off_epochs(o, 100, 10), 3);
  EXPECT_TRUE(distils_in(o, 96, 100, 10));
  EXPECT_FALSE(distils_in(o, 97, 100, 10));
  o.off = 0;
  EXPECT_TRUE(distils_in(o, 99, 100, 10));
  o.weight = 0;
  EXPECT_FALSE(distils(o));
  EXPECT_FALSE(distils_in(o, 0, 100, 0));
  EXPECT_FALSE(distils(DistillOptions{}));
}

TEST(DistillOptions, EachMethodHasItsTemperature) {
  DistillOptions o;
  EXPECT_EQ(temperature_of(o), 1);
  o.method = "logit";
  EXPECT_EQ(temperature_of(o), 3);
  o.temperature = 2;
  EXPECT_EQ(temperature_of(o), 2);
}

TEST(DistillOptions, WithoutATeacherTheyAreRefused) {
  DistillOptions o;
  require_possible(o, {"epochs"}, "train");
  EXPECT_EQ(test::error_of([&] { require_possible(o, {"distill-weight"}, "train"); }),
            "train: distill-weight: expected teacher as well, found none");
  o.teacher = "t.pt";
  require_possible(o, {"distill-weight"}, "train");
}

}  // namespace
}  // namespace yolov7::run
