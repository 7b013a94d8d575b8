// Order and probabilities of the pipeline (data 8.1), against the steps put together by hand.
#include "dataset/loading/sample_pipeline.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <opencv2/core.hpp>

#include "dataset/augment/hsv.hpp"
#include "dataset/augment/mixup.hpp"
#include "dataset/augment/perspective.hpp"
#include "image/letterbox.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/loader_fixture.hpp"

namespace yolov7::dataset {
namespace {

constexpr int side = 48;

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    options.image_size = side, options.stride = 16, options.augment = true, options.seed = 5;
    options.augmentation.mixup = options.augmentation.paste_in = 0;
    order.resize(index.entries.size());
    std::iota(order.rbegin(), order.rend(), std::size_t{0});
  }

  struct Result {
    std::vector<std::uint8_t> planes = std::vector<std::uint8_t>(3 * side * side);
    FinishedSample finished;
  };

  Result build(std::size_t position) {
    ResizedPictures pictures(index, side, true, 1 << 20);
    const SamplePipeline pipeline(index, options, pictures);
    PipelineMemory memory;
    Result result;
    result.finished = pipeline.build({position % index.entries.size(), 2, position}, order,
                                     {side, side}, result.planes.data(), memory);
    return result;
  }

  Random stream(std::uint32_t position, Operation operation, std::uint32_t shift = 0) const {
    return Random(options.seed, 2, position, static_cast<std::uint32_t>(operation) + shift);
  }

  Tile tile(std::size_t entry) const {
    return {load_resized(index.entries[entry].picture, side, true), index.entries[entry].labels,
            nullptr};
  }

  /// A finished four-tile mosaic from the streams of `position`.
  Sample mosaic(std::size_t entry, std::uint32_t position, std::uint32_t shift) const {
    Random centre = stream(position, Operation::mosaic_position, shift),
           partners = stream(position, Operation::mosaic_partners, shift);
    const double yc = centre.uniform(side / 2, side * 3 / 2),
                 xc = centre.uniform(side / 2, side * 3 / 2);
    std::array<Tile, 4> tiles{tile(entry), {}, {}, {}};
    for (std::size_t i = 1; i < 4; ++i)
      tiles[i] = tile(order[static_cast<std::size_t>(
          partners.integer(0, static_cast<std::int64_t>(order.size()) - 1))]);
    PerspectiveStep step;
    Random random = stream(position, Operation::perspective, shift);
    step.draws = draw_perspective(options.augmentation, random);
    step.output = {side, side};
    return random_perspective(mosaic4(tiles, side, yc, xc), step);
  }

  test::TemporaryFolder folder;
  Index index = test::random_index(folder / "p", 8, true);
  LoaderOptions options;
  std::vector<std::size_t> order;
};

TEST_F(PipelineTest, MosaicPerspectiveMixupHsvFlipOutput) {
  options.augmentation.mosaic9 = 0, options.augmentation.mixup = 1, options.augmentation.fliplr = 1;
  const std::uint32_t position = 3;
  Sample sample = mosaic(3, position, 0);
  const std::size_t second =
      static_cast<std::size_t>(stream(position, Operation::mixup_partner).integer(0, 7));
  mixup(sample, mosaic(second, position, mixup_operations),
        stream(position, Operation::mixup_ratio).beta(8, 8));
  Random gains = stream(position, Operation::hsv);
  const AugmentOptions& a = options.augmentation;
  const double h = 1 + gains.uniform(-1, 1) * a.hsv_h, s = 1 + gains.uniform(-1, 1) * a.hsv_s,
               v = 1 + gains.uniform(-1, 1) * a.hsv_v;
  apply_hsv(sample.picture, hsv_tables(h, s, v));
  std::vector<std::uint8_t> planes(3 * side * side);
  write_planes(sample.picture, {false, true}, nullptr, planes.data());
  const Result result = build(position);
  EXPECT_TRUE(result.planes == planes);
  EXPECT_EQ(result.finished.targets, write_targets(sample.objects, {side, side}, {false, true}));
  EXPECT_EQ(result.finished.origin.entry, 3u);
}

TEST_F(PipelineTest, FlipsMirrorPixelsAndTargets) {
  options.augmentation.fliplr = 0;
  const Result plain = build(1);
  options.augmentation.fliplr = 1;
  const Result mirrored = build(1);
  options.augmentation.fliplr = 0, options.augmentation.flipud = 1;
  const Result upside_down = build(1);
  for (std::size_t row = 0; row < 3 * side; ++row)
    for (std::size_t x = 0; x < side; ++x) {
      const std::size_t plane = row / side, y = row % side;
      ASSERT_EQ(mirrored.planes[row * side + side - 1 - x], plain.planes[row * side + x]);
      ASSERT_EQ(upside_down.planes[(plane * side + side - 1 - y) * side + x],
                plain.planes[row * side + x]);
    }
  ASSERT_EQ(mirrored.finished.targets.size(), plain.finished.targets.size());
  ASSERT_FALSE(plain.finished.targets.empty());
  for (std::size_t i = 0; i < plain.finished.targets.size(); ++i) {
    EXPECT_NEAR(mirrored.finished.targets[i][2], 1 - plain.finished.targets[i][2],
                1e-6);  // one rounding to 32 bits
    EXPECT_EQ(mirrored.finished.targets[i][3], plain.finished.targets[i][3]);
    EXPECT_NEAR(upside_down.finished.targets[i][3], 1 - plain.finished.targets[i][3], 1e-6);
  }
}

TEST_F(PipelineTest, ProbabilitiesDecideHowOften) {
  std::vector<Result> without;
  options.augmentation.fliplr = 0;
  for (std::size_t i = 0; i < 200; ++i) without.push_back(build(i));
  options.augmentation.fliplr = 0.5;
  int flipped = 0;
  for (std::size_t i = 0; i < 200; ++i) flipped += build(i).planes != without[i].planes;
  EXPECT_NEAR(flipped, 100, 35);  // five standard deviations of 7.1
}

TEST_F(PipelineTest, WithoutAnyStrengthASinglePictureIsOnlyLetterboxed) {
  AugmentOptions& a = options.augmentation;
  a.mosaic = a.fliplr = a.hsv_h = a.hsv_s = a.hsv_v = a.translate = 0;
  a.scale =
      -0.05;  // U(1 − c, 1.1 + c) is then U(1.05, 1.05): the smallest constant there is (data K16)
  const Result result = build(2);
  LetterboxOptions l;
  l.automatic = false;
  const Tile t = tile(2);
  const Letterbox g = letterbox_geometry(t.picture.size(), {side, side}, l);
  Sample sample;
  sample.picture = letterbox(t.picture, g);
  for (const Label& label : t.labels)
    sample.objects.push_back(
        to_object(label, g.ratio_x * t.picture.cols, g.ratio_y * t.picture.rows, g.dw, g.dh));
  PerspectiveStep step;
  step.draws.scale = 1.05;
  step.use_polygons = false;
  step.output = {side, side};
  sample = random_perspective(sample, step);
  std::vector<std::uint8_t> planes(3 * side * side);
  write_planes(sample.picture, {}, nullptr, planes.data());
  EXPECT_TRUE(result.planes == planes);
  const auto targets = write_targets(sample.objects, {side, side}, {});
  ASSERT_EQ(result.finished.targets.size(), targets.size());
  // 1.1 − 0.05 and 1.05 differ in the last bit.
  for (std::size_t i = 0; i < targets.size(); ++i)
    for (std::size_t k = 0; k < 6; ++k)
      EXPECT_NEAR(result.finished.targets[i][k], targets[i][k], 1e-6);
}

TEST_F(PipelineTest, NineTilesAndMixupBringTheirLabels) {
  // Scale 0.5 shows all of the canvas: nine tiles show more labels than four, and two mosaics more
  // than one.
  AugmentOptions& a = options.augmentation;
  a.scale = -0.5, a.translate = 0;  // U(1.5, 0.6): anything between, mean 1.05
  for (Entry& entry : index.entries) entry.labels = {{0, {0.5, 0.5, 0.5, 0.5}, {}}};
  std::size_t four = 0, nine = 0, mixed = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    a.mosaic9 = 0, a.mixup = 0;
    four += build(i).finished.targets.size();
    a.mosaic9 = 1;
    nine += build(i).finished.targets.size();
    a.mosaic9 = 0, a.mixup = 1;
    mixed += build(i).finished.targets.size();
  }
  EXPECT_GT(four, 40u);
  EXPECT_NE(nine, four);
  EXPECT_GT(mixed, four * 3 / 2);
}

// Epochs after the last one with mosaics: the same as with probabilities of 0.
TEST_F(PipelineTest, LaterEpochsCanBeWithoutMosaic) {
  AugmentOptions& a = options.augmentation;
  a.mosaic = 1, a.mixup = 1, a.paste_in = 1;
  options.last_mosaic_epoch = -1;  // epoch 0 is later
  const Result closed = build(2);
  options.last_mosaic_epoch = 1 << 30;
  const Result open = build(2);
  a.mosaic = a.mixup = a.paste_in = 0;
  const Result none = build(2);
  EXPECT_TRUE(closed.planes == none.planes);
  EXPECT_EQ(closed.finished.targets, none.finished.targets);
  EXPECT_FALSE(closed.planes == open.planes);
}

TEST_F(PipelineTest, PasteInNeedsPolygons) {
  options.augmentation.paste_in = 1;
  std::size_t with = 0, without = 0;
  Index boxes = index;
  for (Entry& entry : boxes.entries)
    for (Label& label : entry.labels) label.polygon.clear();
  const Index outlines = index;
  for (std::size_t i = 0; i < 20; ++i) {
    index = outlines;
    options.augmentation.paste_in = 1;
    with += build(i).finished.targets.size();
    index = boxes;
    const Result a = build(i);
    options.augmentation.paste_in = 0;
    const Result b = build(i);
    EXPECT_TRUE(a.planes == b.planes);
    without += a.finished.targets.size();
  }
  EXPECT_GT(with, without);
}

TEST_F(PipelineTest, CopyPasteAddsObjects) {
  std::size_t before = 0, after = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    options.augmentation.copy_paste = 0;
    before += build(i).finished.targets.size();
    options.augmentation.copy_paste = 1;
    after += build(i).finished.targets.size();
  }
  EXPECT_GT(after, before);
}

// A list whose steps never happen changes no byte, and neither does one of geometry that is the
// identity.
TEST_F(PipelineTest, StepsThatDoNothingChangeNothing) {
  for (std::size_t i = 0; i < 6; ++i) {
    options.augmentation.augment.clear();
    const Result plain = build(i);
    for (const char* list :
         {"[{name: CutMix, p: 0}, {name: InvertImg, p: 0}, {name: ToGray, p: 0}]",
          "[{name: D4, p: 0, when: picture}]"}) {
      options.augmentation.augment = list;
      const Result with = build(i);
      EXPECT_TRUE(plain.planes == with.planes) << list;
      // Through pixels and back: a part in 1e-6 by float32 of a coordinate below 1.
      ASSERT_EQ(plain.finished.targets.size(), with.finished.targets.size()) << list;
      for (std::size_t k = 0; k < plain.finished.targets.size(); ++k)
        for (std::size_t c = 0; c < 6; ++c)
          EXPECT_NEAR(plain.finished.targets[k][c], with.finished.targets[k][c], 1e-6);
    }
  }
}

// Pixels come after HSV: inverting the finished sample is the same as the step.
TEST_F(PipelineTest, PixelStepsComeAfterTheColours) {
  options.augmentation.fliplr = 0;
  const Result plain = build(4);
  options.augmentation.augment = "[{name: InvertImg, p: 1}]";
  const Result inverted = build(4);
  for (std::size_t i = 0; i < plain.planes.size(); ++i)
    ASSERT_EQ(inverted.planes[i], 255 - plain.planes[i]);
  EXPECT_EQ(plain.finished.targets, inverted.finished.targets);
}

// Geometry comes before the flip; a mirrored sample that is flipped again is the first. (Without
// HSV, whose vector code rounds by a pixel's place in its row.)
TEST_F(PipelineTest, GeometryMovesTargetsToo) {
  options.augmentation.hsv_h = options.augmentation.hsv_s = options.augmentation.hsv_v =
      options.augmentation.fliplr = 0;
  const Result plain = build(5);
  options.augmentation.augment = "[{name: HorizontalFlip, p: 1}]";
  options.augmentation.fliplr = 1;
  const Result twice = build(5);
  EXPECT_TRUE(plain.planes == twice.planes);
  ASSERT_EQ(plain.finished.targets.size(), twice.finished.targets.size());
  for (std::size_t k = 0; k < plain.finished.targets.size(); ++k)
    for (std::size_t c = 0; c < 6; ++c)
      EXPECT_NEAR(plain.finished.targets[k][c], twice.finished.targets[k][c], 1e-6);
}

// Another size is letterboxed back: half the width, so that half of the result is grey, 12 columns
// on each side.
TEST_F(PipelineTest, AnotherSizeComesBackToTheInputs) {
  options.augmentation.hsv_h = options.augmentation.hsv_s = options.augmentation.hsv_v =
      options.augmentation.fliplr = 0;
  options.augmentation.augment = "[{name: CenterCrop, height: 48, width: 24}]";
  const Result result = build(2);
  for (int plane = 0; plane < 3; ++plane)
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < 12; ++x) {
        ASSERT_EQ(result.planes[static_cast<std::size_t>((plane * side + y) * side + x)], 114);
        ASSERT_EQ(result.planes[static_cast<std::size_t>((plane * side + y) * side + side - 1 - x)],
                  114);
      }
  for (const auto& target : result.finished.targets) {
    EXPECT_GE(target[2] - target[4] / 2, 0.25 - 1e-6);
    EXPECT_LE(target[2] + target[4] / 2, 0.75 + 1e-6);
  }
}

// Each tile by itself: without mosaic, colours and perspective, an inverted picture between borders
// that stay grey.
TEST_F(PipelineTest, PictureStepsComeBeforeTheMosaic) {
  AugmentOptions& a = options.augmentation;
  a.hsv_h = a.hsv_s = a.hsv_v = a.fliplr = 0, a.scale = -0.05, a.translate = 0, a.mosaic9 = 0;
  for (const double mosaic : {0.0, 1.0}) {
    a.mosaic = mosaic;
    a.augment.clear();
    const Result plain = build(3);
    a.augment = "[{name: InvertImg, p: 1, when: picture}]";
    const Result inverted = build(3);
    std::size_t grey = 0, other = 0;
    for (std::size_t i = 0; i < plain.planes.size(); ++i) {
      grey += plain.planes[i] == 114 && inverted.planes[i] == 114;
      // Bilinear values round apart by one where 114 takes no part.
      other += std::abs(255 - plain.planes[i] - inverted.planes[i]) <= 1;
    }
    EXPECT_GT(grey, 100u) << mosaic;
    EXPECT_GT(other, plain.planes.size() / 4) << mosaic;
    ASSERT_EQ(plain.finished.targets.size(), inverted.finished.targets.size());
    for (std::size_t k = 0; k < plain.finished.targets.size(); ++k)
      for (std::size_t c = 0; c < 6; ++c)
        EXPECT_NEAR(plain.finished.targets[k][c], inverted.finished.targets[k][c], 1e-6);
  }
}

TEST_F(PipelineTest, MixingBringsLabelsAndNeverComesWithMixup) {
  AugmentOptions& a = options.augmentation;
  for (Entry& entry : index.entries) entry.labels = {{0, {0.5, 0.5, 0.9, 0.9}, {}}};
  std::size_t plain = 0, mixed = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    a.mixup = 0, a.augment.clear();
    plain += build(i).finished.targets.size();
    a.augment = "[{name: MixUp, p: 1}]";
    mixed += build(i).finished.targets.size();
    a.mixup = 1;
    const Result both = build(i);
    a.augment.clear();
    EXPECT_TRUE(build(i).planes == both.planes);
  }
  EXPECT_GT(mixed, plain * 3 / 2);  // the partner of a mosaic is a mosaic
}

}  // namespace
}  // namespace yolov7::dataset
