// Rectangular shapes (data 14.2), the epoch's order, and the resized-picture memory.
#include "dataset/loading/epoch_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <set>

#include "dataset/loading/resized_pictures.hpp"
#include "image/codec/codec.hpp"
#include "image/letterbox.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/loader_fixture.hpp"

namespace yolov7::dataset {
namespace {

using test::TemporaryFolder;

Index sizes_only(const std::vector<cv::Size>& sizes) {
  Index index;
  for (const cv::Size& size : sizes) {
    Entry entry;
    entry.width = size.width;
    entry.height = size.height;
    index.entries.push_back(entry);
  }
  return index;
}

TEST(RectangularShapes, FixtureOfTheSpecification) {
  const std::vector<double> ratios{0.5, 0.6, 0.75, 0.75, 0.9, 1.0, 1.2, 1.33, 1.5, 1.5, 1.5, 1.78};
  using Shapes = std::vector<cv::Size>;  // width × height
  EXPECT_EQ(rectangular_shapes(ratios, 4, 640, 32, 0.5),
            (Shapes{{672, 512}, {672, 672}, {448, 672}}));
  EXPECT_EQ(rectangular_shapes(ratios, 4, 640, 32, 0),
            (Shapes{{640, 480}, {640, 640}, {448, 640}}));
}

TEST(RectangularShapes, ASquarePictureIsPaddedTo672) {
  EXPECT_EQ(rectangular_shapes(std::vector<double>{1.0}, 16, 640, 32, 0.5),
            (std::vector<cv::Size>{{672, 672}}));  // data K11
}

TEST(EpochPlan, KeepsThePartialBatchAndPermutesEachEpochAnew) {
  const Index index = sizes_only(std::vector<cv::Size>(10, {64, 64}));
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 64, o.shuffle = true;
  const EpochPlan a = plan_epoch(index, o, 0), b = plan_epoch(index, o, 1),
                  again = plan_epoch(index, o, 0);
  ASSERT_EQ(a.batches.size(), 3u);
  EXPECT_EQ(a.batches[2].entries.size(), 2u);
  EXPECT_EQ(a.batches[2].first_position, 8u);
  EXPECT_EQ(a.order, again.order);
  EXPECT_NE(a.order, b.order);
  for (const EpochPlan& plan : {a, b})
    EXPECT_EQ(std::set<std::size_t>(plan.order.begin(), plan.order.end()).size(), 10u);
  o.shuffle = false;
  EXPECT_EQ(plan_epoch(index, o, 5).batches[1].entries, (std::vector<std::size_t>{4, 5, 6, 7}));
  o.seed = 1, o.shuffle = true;
  EXPECT_NE(plan_epoch(index, o, 0).order, a.order);
}

TEST(EpochPlan, DrawsInProportionToTheWeights) {
  const Index index = sizes_only(std::vector<cv::Size>(1000, {64, 64}));
  LoaderOptions o;
  o.batch_size = 10, o.image_size = 64;
  std::vector<double> weights(1000, 0);
  weights[3] = 1, weights[700] = 3;
  const EpochPlan plan = plan_epoch(index, o, 0, weights);
  ASSERT_EQ(plan.order.size(), 1000u);
  const auto often = [&](std::size_t entry) {
    return std::count(plan.order.begin(), plan.order.end(), entry);
  };
  EXPECT_EQ(often(3) + often(700), 1000);
  EXPECT_NEAR(static_cast<double>(often(700)), 750,
              60);  // binomial, deviation 13.7: four and a half of them
  EXPECT_EQ(plan.order, plan_epoch(index, o, 0, weights).order);
  EXPECT_NE(plan.order, plan_epoch(index, o, 1, weights).order);
}

TEST(EpochPlan, RectangularSortsStablyAndShufflesWholeBatches) {
  const Index index = sizes_only(
      {{100, 200}, {200, 100}, {100, 100}, {200, 100}, {100, 100}, {100, 178}, {200, 110}});
  LoaderOptions o;
  o.batch_size = 2, o.image_size = 320, o.rectangular = true, o.rectangular_pad = 0;
  const EpochPlan sorted = plan_epoch(index, o, 0);
  EXPECT_EQ(sorted.order, (std::vector<std::size_t>{1, 3, 6, 2, 4, 5, 0}));
  const std::vector<cv::Size> shapes{{320, 160}, {320, 320}, {320, 320}, {160, 320}};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(sorted.batches[i].shape, shapes[i]) << i;
  o.shuffle = true;
  std::set<std::vector<std::size_t>> expected, found;
  for (const PlannedBatch& batch : sorted.batches) expected.insert(batch.entries);
  bool moved = false;
  for (int epoch = 0; epoch < 5; ++epoch) {
    found.clear();
    const EpochPlan shuffled = plan_epoch(index, o, epoch);
    std::size_t position = 0;
    for (const PlannedBatch& batch : shuffled.batches) {
      found.insert(batch.entries);
      EXPECT_EQ(batch.first_position, position);
      position += batch.entries.size();
      const auto same =
          std::find_if(sorted.batches.begin(), sorted.batches.end(),
                       [&](const PlannedBatch& b) { return b.entries == batch.entries; });
      ASSERT_NE(same, sorted.batches.end());
      EXPECT_EQ(same->shape, batch.shape);
    }
    EXPECT_EQ(found, expected);
    moved = moved || shuffled.batches.front().entries != sorted.batches.front().entries;
  }
  EXPECT_TRUE(moved);  // by chance not: (1/4)^5
}

TEST(EpochPlan, QuadLeavesOutAnUnfinishedGroup) {
  const Index index = sizes_only(std::vector<cv::Size>(11, {64, 64}));
  LoaderOptions o;
  o.batch_size = 8, o.image_size = 64, o.quad = true;
  EXPECT_EQ(plan_epoch(index, o, 0).batches.size(), 1u);
}

// Ten pictures in batches of 4 for two parts: all parts together are the one-process plan, at the
// same positions of the epoch.
TEST(EpochPlan, PartsOfEveryBatchMakeUpTheWhole) {
  const Index index = sizes_only(std::vector<cv::Size>(10, {64, 64}));
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 64, o.shuffle = true;
  const EpochPlan whole = plan_epoch(index, o, 3);
  o.parts = 2;
  const EpochPlan first = plan_epoch(index, o, 3);
  o.part = 1;
  const EpochPlan second = plan_epoch(index, o, 3);
  ASSERT_EQ(first.batches.size(), 3u);
  EXPECT_EQ(first.order, whole.order);  // mosaic partners come from all pictures
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<std::size_t> joined = first.batches[i].entries;
    joined.insert(joined.end(), second.batches[i].entries.begin(), second.batches[i].entries.end());
    EXPECT_EQ(joined, whole.batches[i].entries) << i;
    EXPECT_EQ(first.batches[i].first_position, whole.batches[i].first_position);
    EXPECT_EQ(second.batches[i].first_position,
              whole.batches[i].first_position + first.batches[i].entries.size());
    EXPECT_EQ(first.batches[i].number, i);
  }
}

TEST(EpochPlan, PartsAreEqualByTakingPicturesTwice) {
  const Index index = sizes_only(std::vector<cv::Size>(10, {64, 64}));
  LoaderOptions o;
  o.batch_size = 6, o.image_size = 64, o.parts = 3;
  std::multiset<std::size_t> seen;
  for (o.part = 0; o.part < 3; ++o.part) {
    const EpochPlan plan = plan_epoch(index, o, 0);
    ASSERT_EQ(plan.batches.size(), 2u);
    for (const PlannedBatch& b : plan.batches) {
      EXPECT_EQ(b.entries.size(), 2u);
      seen.insert(b.entries.begin(), b.entries.end());
    }
  }
  EXPECT_EQ(seen, (std::multiset<std::size_t>{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8,
                                              9}));  // the first two again (training 11.2)
}

TEST(EpochPlan, WholeBatchesAreSharedByNumber) {
  const Index index = sizes_only(std::vector<cv::Size>(10, {64, 64}));
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 64, o.parts = 2, o.sharing = LoaderOptions::Sharing::batches;
  const EpochPlan first = plan_epoch(index, o, 0);
  o.part = 1;
  const EpochPlan second = plan_epoch(index, o, 0);
  ASSERT_EQ(first.batches.size(), 2u);
  ASSERT_EQ(second.batches.size(), 1u);
  EXPECT_EQ(first.batches[1].number, 2u);
  EXPECT_EQ(first.batches[1].entries, (std::vector<std::size_t>{8, 9}));
  EXPECT_EQ(second.batches[0].entries, (std::vector<std::size_t>{4, 5, 6, 7}));
}

TEST(ResizedPictures, SizesAreTruncated) {
  EXPECT_EQ(resized_size({500, 333}, 640), cv::Size(640, 426));   // 426.24
  EXPECT_EQ(resized_size({1280, 719}, 640), cv::Size(640, 359));  // 359.5 (data K08)
  EXPECT_EQ(resized_size({640, 10}, 640), cv::Size(640, 10));
  EXPECT_EQ(resized_size({1000, 1}, 100), cv::Size(100, 1));  // 0.1, but a picture has a pixel
}

TEST(ResizedPictures, ValidationShrinksByArea) {
  // Columns 0, 0, 0, 200, …: the mean over four is 50, bilinear sampling halfway between the middle
  // two gives 0.
  const TemporaryFolder folder;
  cv::Mat picture(8, 32, CV_8UC3, cv::Scalar::all(0));
  for (int x = 3; x < 32; x += 4) picture.col(x).setTo(cv::Scalar::all(200));
  write_picture(folder / "a.png", picture);
  cv::Size original;
  EXPECT_EQ(load_resized(folder / "a.png", 8, false, &original).at<cv::Vec3b>(0, 4)[0], 50);
  EXPECT_EQ(original, cv::Size(32, 8));
  EXPECT_EQ(load_resized(folder / "a.png", 8, true).at<cv::Vec3b>(0, 4)[0], 0);
  EXPECT_EQ(load_resized(folder / "a.png", 64, false).size(), cv::Size(64, 16));  // enlarged too
}

TEST(ResizedPictures, ScaledDecodingKeepsSizesAndNearlyThePicture) {
  // 202 × 101 at 50 px: a quarter is 51 × 26, and what is asked for is (50, ⌊101 · 50 / 202⌋) =
  // (50, 25) either way. A slope of 1 level a pixel differs by at most half a source step of 4
  // pixels, rounding and JPEG's 2 levels.
  const TemporaryFolder folder;
  cv::Mat picture(101, 202, CV_8UC3);
  for (int x = 0; x < picture.cols; ++x) picture.col(x).setTo(cv::Scalar::all(20 + x));
  write_picture(folder / "a.jpg", picture, 100);
  cv::Size original;
  const cv::Mat exact = load_resized(folder / "a.jpg", 50, true),
                scaled = load_resized(folder / "a.jpg", 50, true, &original, true);
  EXPECT_EQ(original, cv::Size(202, 101));
  ASSERT_EQ(scaled.size(), cv::Size(50, 25));
  ASSERT_EQ(exact.size(), cv::Size(50, 25));
  EXPECT_LE(cv::norm(exact, scaled, cv::NORM_INF), 5);
  EXPECT_GT(cv::norm(exact, scaled, cv::NORM_INF), 0);  // it is another way
}

TEST(ResizedPictures, StaysWithinItsBudgetAndChangesNothing) {
  const TemporaryFolder folder;
  const Index index = test::random_index(folder / "p", 12, false);
  std::size_t all = 0;
  std::vector<std::size_t> bytes;
  for (const Entry& entry : index.entries) {
    const cv::Size size = resized_size({entry.width, entry.height}, 32);
    bytes.push_back(static_cast<std::size_t>(3 * size.area()));
    all += bytes.back();
  }
  const std::size_t five = bytes[0] + bytes[1] + bytes[2] + bytes[3] + bytes[4];
  ResizedPictures none(index, 32, true, 0), some(index, 32, true, five),
      every(index, 32, true, all);
  EXPECT_EQ(none.fitting(), 0u);
  EXPECT_EQ(some.fitting(), 5u);
  EXPECT_EQ(every.fitting(), 12u);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < 12; ++i) {
      const cv::Mat a = none.get(i).picture, b = some.get(i).picture, c = every.get(i).picture;
      EXPECT_EQ(cv::norm(a, b, cv::NORM_INF), 0);
      EXPECT_EQ(cv::norm(a, c, cv::NORM_INF), 0);
      EXPECT_LE(some.bytes_kept(), five);
    }
  EXPECT_EQ(none.bytes_kept(), 0u);
  EXPECT_EQ(some.bytes_kept(), five);
  EXPECT_EQ(every.bytes_kept(), all);
  EXPECT_EQ(every.get(3).picture.data, every.get(3).picture.data);
}

}  // namespace
}  // namespace yolov7::dataset
