// Tables of a set of three images whose boxes are chosen so that every count is known.
#include "dataset/doctor/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dataset/doctor/advice.hpp"

namespace yolov7::dataset::doctor {
namespace {

Entry entry_of(int width, int height, std::vector<Label> labels) {
  Entry entry;
  entry.width = width;
  entry.height = height;
  entry.labels = std::move(labels);
  return entry;
}

/// Long side 640, so a share of the width is 640 px at a training size of 640.
Subject subject() {
  Subject result;
  Split& train = result.splits.emplace_back();
  train.name = "train";
  train.index.names = {"a", "b"};
  train.index.entries = {
      entry_of(640, 640,
               {{0, {0.1, 0.1, 20.0 / 640, 20.0 / 640}, {}},     // 20 px, square, upper left
                {1, {0.5, 0.5, 100.0 / 640, 25.0 / 640}, {}},    // 50 px, 4 : 1, middle
                {1, {0.5, 0.5, 100.0 / 640, 20.0 / 640}, {}}}),  // 44.7 px, 5 : 1, on the other
      entry_of(640, 320, {}),
      entry_of(640, 640, {{0, {0.9, 0.9, 5.0 / 640, 5.0 / 640}, {}}})};  // 5 px, lower right
  return result;
}

double value(const Statistics& statistics, const std::string& table, const std::string& row,
             std::size_t column = 0) {
  for (const StatTable& one : statistics.tables)
    if (one.name == table)
      for (std::size_t r = 0; r < one.rows.size(); ++r)
        if (one.rows[r] == row) return one.values[r][column];
  ADD_FAILURE() << table << " has no row " << row;
  return -1;
}

TEST(Statistics, CountsByHand) {
  const Statistics all = statistics_of(subject(), 640);
  EXPECT_EQ(value(all, "totals", "images"), 3);
  EXPECT_EQ(value(all, "totals", "boxes"), 4);
  EXPECT_EQ(value(all, "totals", "% of boxes that overlap another (IoU 0.5)"), 50);
  EXPECT_EQ(value(all, "classes", "a"), 2);
  EXPECT_EQ(value(all, "class_images", "b"), 1);
  EXPECT_EQ(value(all, "sizes", "16 to 32"), 1);
  EXPECT_EQ(value(all, "sizes", "32 to 64"), 2);
  EXPECT_EQ(value(all, "sizes", "4 to 8"), 1);
  EXPECT_EQ(value(all, "shapes", "about square"), 2);
  EXPECT_EQ(value(all, "shapes", "4 : 1 to 10 : 1"), 2);
  EXPECT_EQ(value(all, "places", "upper left"), 1);
  EXPECT_EQ(value(all, "places", "middle"), 2);
  EXPECT_EQ(value(all, "places", "lower right"), 1);
  EXPECT_EQ(value(all, "crowding", "none"), 1);
  EXPECT_EQ(value(all, "crowding", "2 to 5"), 1);
  EXPECT_EQ(value(all, "together", "a and b"), 1);
}

TEST(Statistics, TwoSetsStandSideBySide) {
  const Statistics one = statistics_of(subject(), 640);
  Subject other = subject();
  other.splits[0].index.names = {"a", "c"};
  const Statistics both = side_by_side(one, "A", statistics_of(other, 640), "B");
  EXPECT_EQ(both.columns, (std::vector<std::string>{"A train", "B train"}));
  EXPECT_EQ(value(both, "classes", "b", 0), 2);
  EXPECT_EQ(value(both, "classes", "b", 1), 0);
  EXPECT_EQ(value(both, "classes", "c", 1), 2);
  EXPECT_EQ(value(both, "classes", "c", 0), 0);
}

TEST(Statistics, PairsOfClassesHaveOneRowWhateverTheirOrder) {
  const Statistics one = statistics_of(subject(), 640);
  Subject other = subject();
  other.splits[0].index.names = {"b", "a"};
  const Statistics both = side_by_side(one, "A", statistics_of(other, 640), "B");
  EXPECT_EQ(value(both, "together", "a and b", 0), 1);
  EXPECT_EQ(value(both, "together", "a and b", 1), 1);
}

// Of 21 classes pairs are not counted: 0 would be no count.
TEST(Statistics, ATableThatOneSetLacksIsLeftOut) {
  Subject many = subject();
  for (int i = 0; i < 19; ++i) many.splits[0].index.names.push_back(std::to_string(i));
  const Statistics both =
      side_by_side(statistics_of(subject(), 640), "A", statistics_of(many, 640), "B");
  for (const StatTable& table : both.tables) EXPECT_NE(table.name, "together");
  EXPECT_EQ(value(both, "classes", "b", 1), 2);
}

TEST(Statistics, TwoClassesOfOneNameKeepTheirNumbers) {
  Subject twice = subject();
  twice.splits[0].index.names = {"a", "a"};
  const Statistics one = statistics_of(twice, 640), both = side_by_side(one, "A", one, "B");
  ASSERT_EQ(both.tables[1].name, "classes");
  // Two boxes each.
  EXPECT_EQ(both.tables[1].values, (std::vector<std::vector<double>>{{2, 2}, {2, 2}}));
}

TEST(Advice, ClassWeightsOfTheEffectiveNumber) {
  const auto weights = class_weights({1000, 10, 0});
  const double a = 0.001 / (1 - std::pow(0.999, 1000)), b = 0.001 / (1 - std::pow(0.999, 10));
  EXPECT_NEAR(weights[0], 2 * a / (a + b), 1e-12);
  EXPECT_NEAR(weights[1], 2 * b / (a + b), 1e-12);
  EXPECT_EQ(weights[2], 0);
}

TEST(Advice, NothingIsSaidOfATrainSplitThatIsNotThere) {
  Subject only_val = subject();
  only_val.splits[0].name = "val";
  EXPECT_EQ(advice_on(only_val).back().text, "the set has no train split");
  // Four boxes in images of 640 px, at 640 px.
  EXPECT_NE(advice_on(subject())[3].text.find("reduced by 1.0 (median over the boxes)"),
            std::string::npos)
      << advice_on(subject())[3].text;
}

TEST(Advice, SmallBoxesSpeakForALargerSize) {
  // A quarter of the boxes is 5 px at 640: at least 8 px from 1,024 on, so 1,280 of the sizes.
  const auto advice = advice_on(subject());
  EXPECT_EQ(advice.front().topic, "image size");
  EXPECT_NE(advice.front().text.find("25.0 %"), std::string::npos) << advice.front().text;
  EXPECT_NE(advice.front().text.find("--img-size 1280 leaves 0.0 %, for 4.0 times the work"),
            std::string::npos)
      << advice.front().text;
}

}  // namespace
}  // namespace yolov7::dataset::doctor
