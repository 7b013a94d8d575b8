#include "dataset/paste/paste_plan.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/error.hpp"

namespace yolov7::dataset {
namespace {

Label box(int class_index, const Xyxy& px) {
  Label label;
  label.class_index = class_index;
  label.box = to_normalized(px, 100, 100);
  return label;
}

GatheredImage image(const std::string& split, std::vector<Label> labels) {
  GatheredImage one;
  one.split = split;
  one.entry.width = one.entry.height = 100;
  one.entry.labels = std::move(labels);
  return one;
}

/// Ten training images with two objects of class 0; the first also has one of class 1. Class 2 has
/// objects in val alone.
GatheredSet set() {
  GatheredSet all;
  all.names = {"often", "rare", "elsewhere"};
  for (int i = 0; i < 10; ++i)
    all.images.push_back(image("train", {box(0, {10, 10, 30, 30}), box(0, {60, 60, 80, 80})}));
  all.images[0].entry.labels.push_back(box(1, {10, 60, 30, 80}));
  all.images.push_back(image("val", {box(1, {10, 10, 30, 30}), box(2, {50, 50, 70, 70})}));
  return all;
}

TEST(PasteSources, WholeObjectsOfTrainingImages) {
  const auto sources = find_sources(set());
  ASSERT_EQ(sources.size(), 3u);
  EXPECT_EQ(sources[0].sources.size(), 20u);
  EXPECT_EQ(sources[1].sources, (std::vector<ObjectSource>{{0, 2}}));
  EXPECT_TRUE(sources[2].sources.empty()) << "nothing of val is pasted";
}

TEST(PasteSources, WhatIsLeftOutIsCounted) {
  GatheredSet all;
  all.names = {"a", "b"};
  all.images = {image("train", {box(0, {10, 10, 17, 30}),   // 7 px wide
                                box(0, {0.5, 10, 30, 30}),  // at the left border
                                box(0, {40, 40, 60, 60}),   // covered by the next one by 20 %
                                box(1, {56, 40, 76, 60}),   // and it by that one
                                box(0, {10, 80, 30, 99.5})}),
                image("train", {box(0, {20, 20, 40, 40})})};
  const auto sources = find_sources(all);
  EXPECT_EQ(sources[0].sources, (std::vector<ObjectSource>{{1, 0}}));
  EXPECT_EQ(sources[0].too_small, 1u);
  EXPECT_EQ(sources[0].at_border, 2u);
  EXPECT_EQ(sources[0].overlapped, 1u);
  EXPECT_FALSE(sources[0].second_choice);
  // There is no whole one of class 1, so the one under another is taken.
  EXPECT_EQ(sources[1].sources, (std::vector<ObjectSource>{{0, 3}}));
  EXPECT_TRUE(sources[1].second_choice);
}

TEST(PastePlan, ARareClassGetsWhatItLacks) {
  const GatheredSet all = set();
  const auto sources = find_sources(all);
  PastePlanOptions options;
  options.balance = 8;
  options.per_image = 2;
  const PastePlan plan = plan_pastes(all, sources, options);
  EXPECT_EQ(plan.target, 8u);
  EXPECT_EQ(plan.before, (std::vector<std::size_t>{20, 1, 0}));
  EXPECT_EQ(plan.wanted, (std::vector<std::size_t>{0, 7, 8}));
  EXPECT_EQ(plan.planned[0], 0u);
  EXPECT_EQ(plan.planned[2], 0u) << "there is nothing to cut out";
  // 7, or 6 where the image that has one of them is a background.
  std::size_t objects = 0, with_rare = 0;
  for (const DrawnImage& one : plan.images) {
    EXPECT_LT(one.background, 10u);
    EXPECT_TRUE(one.objects.size() == 1 || one.objects.size() == 2);
    objects += one.objects.size();
    with_rare += one.background == 0 ? 1 : 0;
    for (const ObjectSource& source : one.objects) EXPECT_EQ(source, (ObjectSource{0, 2}));
  }
  EXPECT_EQ(objects, plan.planned[1]);
  EXPECT_TRUE(objects + with_rare == 7 || objects + with_rare == 8) << objects << ' ' << with_rare;
}

TEST(PastePlan, TheShareOfDrawnImagesIsKept) {
  const GatheredSet all = set();
  const auto sources = find_sources(all);
  PastePlanOptions options;
  options.balance = 1000;
  options.share = 0.2;  // of 10 + 2 images is 1/6, of 10 + 3 more than 1/5
  const PastePlan plan = plan_pastes(all, sources, options);
  EXPECT_EQ(plan.images.size(), 2u);
  options.share = 0.75;
  EXPECT_EQ(plan_pastes(all, sources, options).images.size(), 30u);
  options.share = 0;
  EXPECT_TRUE(plan_pastes(all, sources, options).images.empty());
}

TEST(PastePlan, SourcesAndBackgroundsTakeTurns) {
  const GatheredSet all = set();
  PastePlanOptions options;
  options.balance = 40;
  options.share = 0.6;
  options.per_image = 1;
  auto sources = find_sources(all);
  sources[1].sources = {{0, 2}, {1, 0}, {2, 0}};
  const PastePlan plan = plan_pastes(all, sources, options);
  ASSERT_EQ(plan.images.size(), 15u);
  std::map<std::size_t, int> from, background;
  for (const DrawnImage& one : plan.images) {
    ++from[one.objects.at(0).image];
    ++background[one.background];
  }
  for (const auto& [source, count] : from) EXPECT_EQ(count, 5) << source;
  for (const auto& [number, count] : background) EXPECT_TRUE(count == 1 || count == 2) << number;
  const PastePlan again = plan_pastes(all, sources, options);
  for (std::size_t i = 0; i < 15; ++i)
    EXPECT_EQ(plan.images[i].background, again.images[i].background);
}

TEST(PastePlan, TheMedianIsTheTargetWhereNoneIsGiven) {
  const GatheredSet all = set();
  const PastePlan plan = plan_pastes(all, find_sources(all), {});
  EXPECT_EQ(plan.target, 1u) << "of 20, 1 and 0";
  EXPECT_TRUE(plan.images.empty()) << "only the class that has no object at all is below it";
  EXPECT_THROW(plan_pastes({}, {}, {}), Error);
}

}  // namespace
}  // namespace yolov7::dataset
