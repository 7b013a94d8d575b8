// Weights and ignored regions on their way through the pipeline (training 23.3).
#include <gtest/gtest.h>

#include <numeric>

#include "dataset/augment/mixup.hpp"
#include "dataset/augment/mosaic.hpp"
#include "dataset/augment/paste_in.hpp"
#include "dataset/augment/perspective.hpp"
#include "dataset/augment/sample_output.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/loader_fixture.hpp"

namespace yolov7::dataset {
namespace {

using test::all_batches;

Sample grey(int side) { return {cv::Mat(side, side, CV_8UC3, cv::Scalar::all(90)), {}}; }

// A label of weight 0.25 in the centre of a picture of 40 × 20 px, a region on its left half.
TEST(MarkedSamples, LabelsAndRegionsBecomeObjects) {
  const std::vector<Label> labels{{1, {0.5, 0.5, 0.5, 0.5}, {}}};
  const LabelWeights weights{{0.25f}, {{0.25, 0.5, 0.5, 1}}};
  const auto objects = to_objects(labels, &weights, 40, 20, 3, 5);
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0].weight, 0.25f);
  EXPECT_FALSE(objects[0].ignored);
  EXPECT_TRUE(objects[1].ignored);
  EXPECT_DOUBLE_EQ(objects[1].box.x1, 3);
  EXPECT_DOUBLE_EQ(objects[1].box.x2, 23);
  EXPECT_DOUBLE_EQ(objects[1].box.y1, 5);
  EXPECT_DOUBLE_EQ(objects[1].box.y2, 25);
  const auto plain = to_objects(labels, nullptr, 40, 20, 3, 5);
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_EQ(plain[0].weight, 1);
}

// A tile of 20 px at the upper left of a centre at (20, 20): its objects lie where they were. The
// region of the tile below begins 20 px further down.
TEST(MarkedSamples, TilesTakeThemIntoAMosaic) {
  Sample first = grey(20), below = grey(20);
  first.objects = {{1, {2, 4, 12, 14}, {}, 0.5f, false}, {0, {0, 0, 10, 20}, {}, 1, true}};
  below.objects = {{0, {0, 0, 20, 10}, {}, 1, true}};
  const std::array<Tile, 4> tiles{to_tile(first), to_tile(grey(20)), to_tile(below),
                                  to_tile(grey(20))};
  EXPECT_EQ(tiles[1].weights, nullptr);
  const Sample mosaic = mosaic4(tiles, 20, 20, 20);
  ASSERT_EQ(mosaic.objects.size(), 3u);
  EXPECT_EQ(mosaic.objects[0].weight, 0.5f);
  EXPECT_NEAR(mosaic.objects[0].box.x2, 12, 1e-9);
  EXPECT_TRUE(mosaic.objects[1].ignored);
  EXPECT_TRUE(mosaic.objects[2].ignored);
  EXPECT_NEAR(mosaic.objects[2].box.y1, 20, 1e-9);
  EXPECT_NEAR(mosaic.objects[2].box.y2, 30, 1e-9);
}

TEST(MarkedSamples, WarpMixupAndPasteKeepThem) {
  Sample sample = grey(64);
  sample.objects = {{2, {8, 8, 40, 40}, {}, 0.5f, false}, {0, {16, 0, 48, 32}, {}, 1, true}};
  PerspectiveStep step;
  step.draws.scale = 1;
  step.draws.translate_x = step.draws.translate_y = 0.5;
  step.output = {64, 64};
  const cv::Matx33d half(0.5, 0, 0, 0, 0.5, 0, 0, 0, 1);
  const auto warped = warp_objects(sample.objects, step, half);
  ASSERT_EQ(warped.size(), 2u);
  EXPECT_EQ(warped[0].weight, 0.5f);
  EXPECT_TRUE(warped[1].ignored);
  EXPECT_DOUBLE_EQ(warped[1].box.x1, 8);
  EXPECT_DOUBLE_EQ(warped[1].box.y2, 16);

  Sample other = grey(64);
  mixup(other, sample, 0.5);
  ASSERT_EQ(other.objects.size(), 2u);
  EXPECT_EQ(other.objects[0].weight, 0.5f);
  EXPECT_TRUE(other.objects[1].ignored);

  Sample outlined = grey(64);
  outlined.objects = {{1, {0, 0, 40, 40}, {{0, 0}, {40, 0}, {40, 40}, {0, 40}}, 0.25f, false}};
  const std::vector<std::size_t> chosen{0};
  const auto sources = cut_sources(outlined, chosen);
  ASSERT_EQ(sources.size(), 1u);
  Sample base = grey(64);
  ASSERT_TRUE(paste_one(base, sources[0], {0, 0, 30, 30}));
  EXPECT_EQ(base.objects[0].weight, 0.25f);
}

// Of 100 × 80 px: the region 10 … 30 × 60 … 80 has its centre at 0.2, 0.875.
TEST(MarkedSamples, AreWrittenBesideTheTargets) {
  const std::vector<Object> objects{{1, {0, 0, 50, 40}, {}, 0.5f, false},
                                    {0, {10, 60, 30, 80}, {}, 1, true},
                                    {2, {50, 40, 100, 80}, {}, 1, false}};
  EXPECT_EQ(write_targets(objects, {100, 80}, {}).size(), 2u);
  const TargetMarks marks = write_marks(objects, {100, 80}, {});
  EXPECT_EQ(marks.weights, (std::vector<float>{0.5f, 1}));
  EXPECT_EQ(marks.ignored, (std::vector<IgnoredBox>{{0, 0.2f, 0.875f, 0.2f, 0.25f}}));
  const TargetMarks flipped = write_marks(objects, {100, 80}, {true, true});
  EXPECT_EQ(flipped.ignored, (std::vector<IgnoredBox>{{0, 0.8f, 0.125f, 0.2f, 0.25f}}));
  EXPECT_TRUE(write_marks(std::vector<Object>{{1, {0, 0, 50, 40}, {}}}, {100, 80}, {}).empty());
}

TEST(MarkedSamples, QuadPutsThemIntoTheirCorners) {
  const std::array<TargetMarks, 4> marks{
      {{}, {{0.5f, 0.25f}, {{0, 0.5f, 0.5f, 1, 1}}}, {{}, {{0, 0.5f, 0.5f, 0.2f, 0.4f}}}, {}}};
  const std::array<std::size_t, 4> counts{1, 2, 0, 1};
  const TargetMarks all = quad_marks(marks, counts, false);
  EXPECT_EQ(all.weights, (std::vector<float>{1, 0.5f, 0.25f, 1}));
  EXPECT_EQ(all.ignored, (std::vector<IgnoredBox>{{0, 0.25f, 0.75f, 0.5f, 0.5f},
                                                  {0, 0.75f, 0.25f, 0.1f, 0.2f}}));
  EXPECT_TRUE(quad_marks(marks, counts, true).empty()) << "the first alone";
}

LoaderOptions everything() {
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 32, o.stride = 8;
  o.augment = o.shuffle = true;
  o.workers = 0;
  o.seed = 17;
  o.augmentation.mixup = 0.5, o.augmentation.copy_paste = 0.5, o.augmentation.paste_in = 0.5,
  o.augmentation.mosaic = 0.8;
  o.augmentation.degrees = 5, o.augmentation.flipud = 0.3;
  o.augmentation.augment =
      "[{name: HorizontalFlip, p: 0.5, when: picture}, {name: Replicate, p: 0.5}, {name: Mosaic4, "
      "p: 0.3}]";
  return o;
}

/// By class, so that every target says what its weight has to be.
constexpr std::array<float, 3> weight_of_class{0.25f, 0.5f, 0.75f};

class MarkedLoader : public testing::Test {
 protected:
  MarkedLoader() {
    for (const Entry& entry : index.entries) {
      LabelWeights& one = weights.emplace_back();
      for (const Label& label : entry.labels)
        one.weights.push_back(weight_of_class[static_cast<std::size_t>(label.class_index)]);
    }
  }
  std::vector<Batch> batches(LoaderOptions o, bool marked, int epoch) {
    if (marked) o.weights = std::make_shared<std::vector<LabelWeights>>(weights);
    BatchLoader loader(index, o);
    return all_batches(loader, epoch);
  }
  test::TemporaryFolder folder;
  Index index = test::random_index(folder / "pictures", 14, true);
  std::vector<LabelWeights> weights;
};

TEST_F(MarkedLoader, EveryTargetKeepsTheWeightOfItsLabel) {
  for (const bool quad : {false, true}) {
    LoaderOptions o = everything();
    o.quad = quad;
    std::size_t targets = 0;
    for (int epoch = 0; epoch < 6; ++epoch) {
      const auto plain = batches(o, false, epoch), marked = batches(o, true, epoch);
      ASSERT_EQ(plain.size(), marked.size());
      for (std::size_t b = 0; b < plain.size(); ++b) {
        EXPECT_TRUE(plain[b].pixels == marked[b].pixels);
        EXPECT_TRUE(plain[b].targets == marked[b].targets);
        EXPECT_TRUE(plain[b].marks.empty());
        if (marked[b].targets.empty()) continue;
        ASSERT_EQ(marked[b].marks.weights.size(), marked[b].targets.size());
        for (std::size_t i = 0; i < marked[b].targets.size(); ++i, ++targets)
          EXPECT_EQ(marked[b].marks.weights[i],
                    weight_of_class[static_cast<std::size_t>(marked[b].targets[i][1])]);
      }
    }
    EXPECT_GT(targets, 50u);
  }
}

TEST_F(MarkedLoader, WeightsOfOneAreNone) {
  for (LabelWeights& one : weights) std::fill(one.weights.begin(), one.weights.end(), 1.0f);
  for (const Batch& batch : batches(everything(), true, 0)) EXPECT_TRUE(batch.marks.empty());
}

// A region as large as its picture lies on the letterboxed picture.
TEST_F(MarkedLoader, RegionsFollowTheirPicture) {
  for (LabelWeights& one : weights) one.ignored = {{0.5, 0.5, 1, 1}};
  LoaderOptions o = everything();
  o.augment = o.shuffle = false;
  o.augmentation = {};
  std::size_t regions = 0;
  for (const Batch& batch : batches(o, true, 0)) {
    for (const IgnoredBox& region : batch.marks.ignored) {
      const SampleOrigin& origin = batch.origins[static_cast<std::size_t>(region[0])];
      EXPECT_NEAR(region[3] * 32, origin.width * origin.gain_x, 1e-4);
      EXPECT_NEAR(region[4] * 32, origin.height * origin.gain_y, 1e-4);
      EXPECT_NEAR((region[1] - region[3] / 2) * 32, origin.pad_x, 1e-4);
      ++regions;
    }
  }
  EXPECT_EQ(regions, index.entries.size());
  // With all augmentations they are there, inside the picture.
  regions = 0;
  for (const Batch& batch : batches(everything(), true, 1))
    for (const IgnoredBox& region : batch.marks.ignored) {
      ++regions;
      EXPECT_LT(region[0], static_cast<float>(batch.count));
      EXPECT_GE(region[1] - region[3] / 2, -1e-5);
      EXPECT_LE(region[1] + region[3] / 2, 1 + 1e-5);
    }
  EXPECT_GE(regions, index.entries.size());
}

TEST_F(MarkedLoader, AnotherNumberOfImagesIsAnError) {
  weights.pop_back();
  EXPECT_EQ(test::error_of([&] { batches(everything(), true, 0); }),
            "batch loader: expected weights for 14 images, found 13");
}

}  // namespace
}  // namespace yolov7::dataset
