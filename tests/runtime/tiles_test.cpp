#include "runtime/tiles.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "tests/runtime/scripted_detector.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/stopping.hpp"

using namespace yolov7;
using namespace yolov7::runtime;

TEST(TileGrid, CoversWithTheOverlap) {
  // 6000 × 4000 in tiles of 640 that share 128: (6000 − 640) / 512 → 11 steps, (4000 − 640) / 512
  // → 7.
  const auto grid = tile_grid({6000, 4000}, 640, 0.2);
  ASSERT_EQ(grid.size(), 12u * 8u);
  EXPECT_EQ(grid.front(), cv::Rect(0, 0, 640, 640));
  EXPECT_EQ(grid.back(), cv::Rect(5360, 3360, 640, 640));
  for (std::size_t i = 1; i < 12; ++i) EXPECT_LE(grid[i].x, grid[i - 1].x + 640 - 128);
  EXPECT_EQ(tile_grid({500, 300}, 640, 0.2), (std::vector<cv::Rect>{{0, 0, 500, 300}}));
  EXPECT_EQ(tile_grid({1000, 300}, 640, 0.5).size(), 3u);
  EXPECT_THROW(tile_grid({10, 10}, 0, 0.2), Error);
  EXPECT_THROW(tile_grid({10, 10}, 5, 1.0), Error);
}

// 13,000 · 13,000; 1,000 · 1,000 are allowed.
TEST(TileGrid, HasABound) {
  EXPECT_EQ(test::error_of([] {
              tile_grid({13000, 13000}, 1, 0);
            }),
            "tile 1: an image of 13000 x 13000 px has 169000000 parts of this size, expected at "
            "most 1000000");
  EXPECT_EQ(tile_grid({1000, 1000}, 1, 0).size(), 1000000u);
}

TEST(MergeParts, AnObjectInTheOverlapIsThereOnce) {
  const std::vector<PartDetections> parts{{{0, 0, 640, 640}, {{{530, 100, 610, 200}, 0.8f, 0}}},
                                          {{512, 0, 640, 640}, {{{531, 100, 611, 200}, 0.9f, 0}}}};
  const auto found = merge_parts(parts, {1152, 640}, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].score, 0.9f);
}

TEST(MergeParts, APieceGivesWayToTheWhole) {
  // The right half of an object, cut by the second part's border, has the higher score; IoU with
  // the whole box is .5 · … = .4375.
  const std::vector<PartDetections> parts{{{0, 0, 640, 640}, {{{448, 100, 608, 200}, 0.6f, 0}}},
                                          {{512, 0, 640, 640}, {{{512, 100, 582, 200}, 0.9f, 0}}}};
  auto found = merge_parts(parts, {1152, 640}, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].box, (Xyxy{448, 100, 608, 200}));
  // Of another class it is another object, unless classes do not matter.
  auto other = parts;
  other[1].detections[0].class_index = 1;
  EXPECT_EQ(merge_parts(other, {1152, 640}, {}).size(), 2u);
  NmsOptions agnostic;
  agnostic.agnostic = true;
  EXPECT_EQ(merge_parts(other, {1152, 640}, agnostic).size(), 1u);
}

TEST(MergeParts, TheBordersOfThePictureDoNotCut) {
  // A small object within a large one, at the picture's left border: not a piece of it.
  const std::vector<PartDetections> parts{
      {{0, 0, 640, 640}, {{{0, 0, 300, 300}, 0.9f, 0}, {{0, 0, 100, 100}, 0.8f, 0}}}};
  EXPECT_EQ(merge_parts(parts, {1152, 640}, {}).size(), 2u);
  NmsOptions one;
  one.max_det = 1;
  EXPECT_EQ(merge_parts(parts, {1152, 640}, one).size(), 1u);
}

// One object in the whole and one in each of two tiles; they hardly overlap.
TEST(DetectTiled, TellsWhereTheLimitIsReached) {
  yolov7::testing::ScriptedDetector detector;
  detector.rows = {{16, 16, 16, 16, 0.9f, 0.9f, 0.1f}};
  LookOptions options;
  options.image_size = 64;
  options.tile = 64;
  options.tile_overlap = 0;
  DetectBuffers buffers;
  const cv::Mat picture(64, 128, CV_8UC3, cv::Scalar::all(0));
  for (const int most : {1, 4}) {
    options.nms.max_det = most;
    const DetectResult result = detect_tiled(detector, picture, options, buffers);
    EXPECT_EQ(result.at_max_det, most == 1) << result.detections.size();
  }
}

TEST(DetectTiled, EndsBetweenTwoPartsWhereItIsStopped) {
  std::stop_source stop;
  yolov7::testing::ScriptedDetector detector;
  detector.before = [&](const PixelBatch&) {
    if (detector.calls.size() == 1) stop.request_stop();  // in the second call
  };
  LookOptions options;
  options.image_size = 64;
  options.tile = 64;
  options.stop = stop.get_token();
  DetectBuffers buffers;
  const cv::Mat picture(64, 200, CV_8UC3, cv::Scalar::all(0));  // the whole and four parts
  EXPECT_TRUE(test::is_stopped([&] { detect_tiled(detector, picture, options, buffers); }));
  EXPECT_EQ(detector.calls.size(), 2u);
}
