// Scenes, frames and frequencies of a generated pool.
#include "dataset/synth/synth_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>

#include "dataset/similarity/near_pairs.hpp"
#include "dataset/synth/synth_scene.hpp"

namespace yolov7::dataset {
namespace {

TEST(SynthFrames, SevenOfTenAreFurtherFrames) {
  const auto shots = synth_shots(0.7, 10, 5, 0);
  ASSERT_EQ(shots.size(), 10u);
  EXPECT_EQ(shots.front(), (SynthShot{0, 0}));
  EXPECT_EQ(shots.back().scene, 2u) << "three scenes";
  for (std::size_t i = 1; i < shots.size(); ++i) {
    const SynthShot next{shots[i - 1].scene, shots[i - 1].frame + 1},
        other{shots[i - 1].scene + 1, 0};
    EXPECT_TRUE(shots[i] == next || shots[i] == other) << i;
  }
  EXPECT_EQ(shots, synth_shots(0.7, 10, 5, 0));
  EXPECT_NE(synth_shots(0.7, 100, 5, 0), synth_shots(0.7, 100, 6, 0));
}

TEST(SynthFrames, WithoutThemEachImageIsItsOwnScene) {
  const auto shots = synth_shots(0, 4, 5, 0);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(shots[i], (SynthShot{i, 0}));
  EXPECT_EQ(synth_shots(0.9, 1, 5, 0).size(), 1u);
  EXPECT_TRUE(synth_shots(0.9, 0, 5, 0).empty());
}

TEST(SynthFrames, ASceneIsEmptyAsAWhole) {
  const auto shots = synth_shots(0.7, 200, 5, 0);
  const auto empty = empty_shots(0.5, shots, 5, 0);
  for (std::size_t i = 1; i < shots.size(); ++i)
    if (shots[i].scene == shots[i - 1].scene) {
      EXPECT_EQ(empty[i], empty[i - 1]) << i;
    }
  const auto count = std::count(empty.begin(), empty.end(), true);
  EXPECT_TRUE(count <= 100 && count >= 90) << count;
  EXPECT_TRUE(empty_shots(0.5, {}, 5, 0).empty());
}

TEST(SynthFrames, ClassesFollowZipfsLaw) {
  // 1 : 1/2 : 1/3 is 6, 3 and 2 of 11. Four standard errors of 66,000 draws are below .008.
  std::array<int, 3> counts{};
  Random random(1, 0, 0, 0);
  for (int i = 0; i < 66000; ++i) ++counts.at(static_cast<std::size_t>(zipf_class(3, 1, random)));
  EXPECT_NEAR(counts[0] / 66000.0, 6 / 11.0, 0.008);
  EXPECT_NEAR(counts[1] / 66000.0, 3 / 11.0, 0.008);
  EXPECT_NEAR(counts[2] / 66000.0, 2 / 11.0, 0.008);
  EXPECT_EQ(zipf_class(1, 2, random), 0);
}

TEST(SynthFrames, TheWindowKeepsFourFifthsOfEachObject) {
  // A strip of one pixel at the border is cut by most windows; a window that keeps it is taken, or
  // the whole canvas.
  const std::vector<Outline> objects{{{0, 10}, {1, 10}, {1, 40}, {0, 40}}};
  for (std::uint32_t i = 0; i < 50; ++i) {
    Random random(2, i, 0, 0);
    const cv::Rect2d window = camera_window({100, 50}, objects, random);
    EXPECT_LE(window.x, 0.2 + 1e-9);
    EXPECT_GE(window.y, 0);
    EXPECT_TRUE(window.width >= 97 - 1e-9 && window.x + window.width <= 100 + 1e-9);
    EXPECT_NEAR(window.height, window.width / 2, 1e-9);
    EXPECT_LE(window.y + window.height, 50 + 1e-9);
  }
}

TEST(SynthFrames, PixelsAndOutlinesMoveAlike) {
  // Each pixel holds the place of its middle. Through a window of half the size at (10, 5), the
  // middle of column j shows what lay at (j + ½) / 2 + 10.
  cv::Mat canvas(50, 100, CV_32FC3);
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 100; ++x)
      canvas.at<cv::Vec3f>(y, x) = {static_cast<float>(x + 0.5), static_cast<float>(y + 0.5), 0};
  std::vector<Outline> objects{{{20, 10}, {30, 10}, {30, 20}, {20, 20}},
                               {{0, 10}, {20, 10}, {20, 20}, {0, 20}}};
  look_through({10, 5, 50, 25}, canvas, objects);
  ASSERT_EQ(canvas.size(), cv::Size(100, 50));
  for (int y = 2; y < 48; ++y)
    for (int x = 2; x < 98; ++x) {
      const auto& pixel = canvas.at<cv::Vec3f>(y, x);
      EXPECT_NEAR(pixel[0], (x + 0.5) / 2 + 10, 0.04);  // OpenCV has places to 1/32 px
      EXPECT_NEAR(pixel[1], (y + 0.5) / 2 + 5, 0.04);
    }
  const Xyxy first = outline_extent(objects[0]), second = outline_extent(objects[1]);
  EXPECT_NEAR(first.x1, 20, 1e-9);
  EXPECT_NEAR(first.y1, 10, 1e-9);
  EXPECT_NEAR(first.x2, 40, 1e-9);
  EXPECT_NEAR(first.y2, 30, 1e-9);
  EXPECT_NEAR(second.x1, 0, 1e-9) << "cut at the border";
  EXPECT_NEAR(second.x2, 20, 1e-9);
}

TEST(SynthFrames, AFrameShowsTheSameObjectsALittleMoved) {
  const SynthLevel level = standard_level();
  for (std::size_t scene = 0; scene < 20; ++scene) {
    const SynthPicture first = draw_synth_picture(level, 160, 3, 0, scene, false),
                       frame = draw_synth_picture(level, 160, 3, 0, scene, false, 2);
    ASSERT_EQ(first.picture.size(), frame.picture.size());
    EXPECT_GT(cv::norm(first.picture, frame.picture, cv::NORM_L1), 0);
    ASSERT_EQ(first.labels.size(), frame.labels.size());
    for (std::size_t i = 0; i < first.labels.size(); ++i) {
      EXPECT_EQ(first.labels[i].class_index, frame.labels[i].class_index);
      // At most 3 % of the side is cut away, and the rest grows to 1 / .97.
      EXPECT_NEAR(first.labels[i].box.cx, frame.labels[i].box.cx, 0.035);
      EXPECT_NEAR(first.labels[i].box.cy, frame.labels[i].box.cy, 0.035);
    }
  }
}

// What the frames are for: what looks for near duplicates finds most of them.
TEST(SynthFrames, MostFramesAreNearDuplicates) {
  const SynthLevel level = standard_level();
  constexpr std::size_t scenes = 40;
  std::vector<similarity::Sketch> sketches;
  for (std::size_t scene = 0; scene < scenes; ++scene)
    for (const std::size_t frame : {0u, 1u})
      sketches.push_back(similarity::sketch_of(
          draw_synth_picture(level, 160, 3, 0, scene, scene % 2 == 1, frame).picture));
  std::size_t found = 0, wrong = 0;
  for (const auto& pair : similarity::find_near_pairs(sketches).pairs)
    ++(pair.a / 2 == pair.b / 2 ? found : wrong);
  EXPECT_GE(found, scenes * 8 / 10);
  EXPECT_LE(wrong, 1u);
  RecordProperty("found", static_cast<int>(found));
}

}  // namespace
}  // namespace yolov7::dataset
