// Planes, flips, targets and quad collation against direct formulas (data 8.8, 9).
#include "dataset/augment/sample_output.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace yolov7::dataset {
namespace {

std::uint8_t value(int x, int y, int channel) {
  return static_cast<std::uint8_t>(7 * x + 13 * y + 50 * channel);
}

TEST(SampleOutput, PlanesAreRedGreenBlueAndFlipped) {
  for (const cv::Size size : {cv::Size(64, 48), cv::Size(37, 21), cv::Size(130, 5)})
    for (int flips = 0; flips < 4; ++flips) {
      cv::Mat picture(size, CV_8UC3);
      for (int y = 0; y < size.height; ++y)
        for (int x = 0; x < size.width; ++x)
          picture.at<cv::Vec3b>(y, x) = {value(x, y, 2), value(x, y, 1), value(x, y, 0)};
      const bool vertical = flips & 1, horizontal = flips & 2;
      std::vector<std::uint8_t> planes(3 * picture.total() + 1, 99);
      write_planes(picture, {vertical, horizontal}, nullptr, planes.data());
      std::size_t i = 0;
      for (int c = 0; c < 3; ++c)
        for (int y = 0; y < size.height; ++y)
          for (int x = 0; x < size.width; ++x, ++i)
            ASSERT_EQ(planes[i], value(horizontal ? size.width - 1 - x : x,
                                       vertical ? size.height - 1 - y : y, c))
                << flips << " " << x << " " << y;
      EXPECT_EQ(planes[i], 99);
    }
}

TEST(SampleOutput, TargetsAreNormalizedAndReflected) {
  const std::vector<Object> objects{
      {3, {10, 20, 30, 60}, {}}};  // centre (20, 40), 20 × 40 of 100 × 80
  const std::array<float, 6> plain{0, 3, 0.2f, 0.5f, 0.2f, 0.5f},
      mirrored{0, 3, 0.8f, 0.5f, 0.2f, 0.5f};
  EXPECT_EQ(write_targets(objects, {100, 80}, {}).at(0), plain);
  EXPECT_EQ(write_targets(objects, {100, 80}, {false, true}).at(0), mirrored);
  const std::vector<Object> low{{1, {0, 60, 10, 80}, {}}};  // cy 0.875
  EXPECT_EQ(write_targets(low, {100, 80}, {true, false}).at(0)[3], 0.125f);
  EXPECT_TRUE(write_targets({}, {100, 80}, {}).empty());
}

TEST(SampleOutput, QuadArrangesFourSamples) {
  constexpr int h = 2, w = 3;
  std::vector<std::uint8_t> samples(4 * 3 * h * w);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint8_t> planes(samples.size());
  quad_planes(samples.data(), h, w, false, planes.data());
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 2 * h; ++y)
      for (int x = 0; x < 2 * w; ++x) {
        const int sample = (x >= w ? 2 : 0) + (y >= h ? 1 : 0);  // the second one bottom left
        ASSERT_EQ(planes[static_cast<std::size_t>((c * 2 * h + y) * 2 * w + x)],
                  ((sample * 3 + c) * h + y % h) * w + x % w);
      }
  const std::array<std::vector<std::array<float, 6>>, 4> targets{
      {{{0, 1, 0.5f, 0.5f, 1, 1}},
       {{0, 2, 0.5f, 0.5f, 1, 1}},
       {{0, 3, 0.5f, 0.5f, 1, 1}},
       {{0, 4, 0.5f, 0.5f, 0.2f, 0.4f}}}};
  const auto all = quad_targets(targets, false);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0], (std::array<float, 6>{0, 1, 0.25f, 0.25f, 0.5f, 0.5f}));
  EXPECT_EQ(all[1], (std::array<float, 6>{0, 2, 0.25f, 0.75f, 0.5f, 0.5f}));
  EXPECT_EQ(all[2], (std::array<float, 6>{0, 3, 0.75f, 0.25f, 0.5f, 0.5f}));
  EXPECT_EQ(all[3], (std::array<float, 6>{0, 4, 0.75f, 0.75f, 0.1f, 0.2f}));
  EXPECT_EQ(quad_targets(targets, true), targets[0]);
}

TEST(SampleOutput, QuadAloneEnlargesTheFirst) {
  // Half-pixel centres: 0, 100 → 0, 25, 75, 100 along x; one row stays one row twice.
  std::vector<std::uint8_t> samples(4 * 3 * 2, 7), planes(samples.size());
  for (std::size_t c = 0; c < 3; ++c) samples[2 * c] = 0, samples[2 * c + 1] = 100;
  quad_planes(samples.data(), 1, 2, true, planes.data());
  const std::vector<std::uint8_t> one{0, 25, 75, 100, 0, 25, 75, 100};
  for (std::size_t i = 0; i < planes.size(); ++i) EXPECT_EQ(planes[i], one[i % 8]);
}

}  // namespace
}  // namespace yolov7::dataset
