#include "dataset/formats/annotated_set.hpp"

#include <gtest/gtest.h>

#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace {

TEST(AnnotatedSets, TurnedBoxesAndTheirCornersByHand) {
  // 20 × 10 px about (20, 15), by 90 degrees clockwise: the upper left corner goes to the upper
  // right.
  const Rotation turned{{10, 10, 30, 20}, 90};
  const Ring corners = corners_of(turned);
  const Point expected[] = {{25, 5}, {25, 25}, {15, 25}, {15, 5}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(corners[i].x, expected[i].x, 1e-12);
    EXPECT_NEAR(corners[i].y, expected[i].y, 1e-12);
  }
  const auto again = rotation_of(corners, 1e-9);
  ASSERT_TRUE(again);
  EXPECT_NEAR(again->degrees, 90, 1e-9);
  EXPECT_NEAR(again->box.x1, 10, 1e-9);
  EXPECT_NEAR(again->box.y2, 20, 1e-9);
  // Against the clock, a parallelogram, and three corners are no turned box.
  EXPECT_FALSE(rotation_of({corners[0], corners[3], corners[2], corners[1]}, 0.01));
  EXPECT_FALSE(rotation_of({{0, 0}, {10, 0}, {13, 5}, {3, 5}}, 0.01));
  EXPECT_FALSE(rotation_of({{0, 0}, {10, 0}, {10, 5}}, 0.01));
}

TEST(Splits, AreKnownByTheirSpellingsAndNotByWordsThatBeginLikeThem) {
  for (const auto& [written, split] :
       {std::pair("train2017", "train"), std::pair("Training", "train"), std::pair("valid", "val"),
        std::pair("Validation", "val"), std::pair("val_2", "val"),
        std::pair("test-dev2017", "test"), std::pair("valve", "valve"),
        std::pair("trained", "trained"), std::pair("tested", "tested"), std::pair("default", "")})
    EXPECT_EQ(split_name(written), split) << written;
  EXPECT_EQ(split_of_folders("valve/a.png"), "");
  EXPECT_EQ(split_of_file("valve_001.csv"), "");
  EXPECT_EQ(split_of_file("labels_train.csv"), "train");
}

TEST(AnnotatedSets, AreasAndBoxesOfRings) {
  const std::vector<Ring> rings = {{{0, 0}, {10, 0}, {0, 10}},
                                   {{20, 20}, {20, 22}, {22, 22}, {22, 20}}};
  EXPECT_EQ(area_of(rings), 54);  // 50 and 4, whichever way round
  EXPECT_EQ(box_around(rings), (Xyxy{0, 0, 22, 22}));
  EXPECT_EQ(box_around({}), Xyxy{});
  // Half axes 10 and 5, upright: 5 wide to each side.
  const Xyxy ellipse = box_of_ellipse(50, 25, 10, 5, 90);
  EXPECT_NEAR(ellipse.x1, 45, 1e-12);
  EXPECT_NEAR(ellipse.y2, 35, 1e-12);
}

TEST(AnnotatedSets, AttributesAsTextAndSwitch) {
  EXPECT_TRUE(is_true(AttributeValue(2.0)));
  EXPECT_TRUE(is_true(AttributeValue(std::string("Yes"))));
  EXPECT_FALSE(is_true(AttributeValue(std::string("no"))));
  EXPECT_EQ(text_of(AttributeValue(2.5)), "2.5");
  EXPECT_EQ(text_of(AttributeValue(true)), "true");
}

}  // namespace
}  // namespace yolov7::dataset
