// Halves of images and the inner loops over them, by hand and in every version that this processor
// runs.
#include "dataset/similarity/halved.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "dataset/similarity/kernels/level_rows.hpp"
#include "tests/numbers.hpp"

namespace yolov7::dataset {
namespace {

cv::Mat1b noise(int width, int height, std::uint64_t seed) {
  test::Numbers numbers(seed);
  cv::Mat1b plane(height, width);
  for (unsigned char& value : plane) value = static_cast<unsigned char>(numbers.below(256));
  return plane;
}

std::vector<kernels::LevelRows> versions() {
  std::vector<kernels::LevelRows> all;
  for (const InstructionSet set :
       {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512})
    if (set <= best_instruction_set()) all.push_back(kernels::level_rows(set));
  return all;
}

TEST(Halved, SumsOfFourPixels) {
  const cv::Mat1b plane = (cv::Mat1b(3, 5) << 1, 2, 255, 255, 9, 3, 4, 255, 255, 9, 7, 7, 7, 7, 9);
  const cv::Mat1w half = similarity::halved(plane);
  ASSERT_EQ(half.size(), cv::Size(2, 1));  // the fifth column and the third row have no neighbour
  EXPECT_EQ(half(0, 0), 10);
  EXPECT_EQ(half(0, 1), 1020);
  cv::Mat large(64, 64, CV_8U, cv::Scalar(255));
  for (int i = 0; i < similarity::most_halves; ++i) large = similarity::halved(large);
  EXPECT_EQ(large.at<std::uint16_t>(3, 3), 255 * 256);
}

TEST(Halved, SquaresAreMeansOverAreas) {
  const cv::Mat1b plane = noise(256, 512, 3), small = similarity::square_of(plane, 16);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x)
      EXPECT_NEAR(small(y, x), cv::mean(plane(cv::Rect(16 * x, 32 * y, 16, 32)))[0], 0.51);
  EXPECT_EQ(similarity::square_of(cv::Mat1b(1, 1, 77), 16)(8, 8), 77);
}

TEST(LevelRows, HalvesInEveryVersion) {
  const cv::Mat1b plane = noise(2 * 77, 2, 4);
  for (const auto& loops : versions()) {
    std::vector<std::uint16_t> sums(77);
    loops.halve_bytes(plane[0], plane[1], 77, sums.data());
    for (int i = 0; i < 77; ++i)
      EXPECT_EQ(sums[static_cast<std::size_t>(i)],
                plane(0, 2 * i) + plane(0, 2 * i + 1) + plane(1, 2 * i) + plane(1, 2 * i + 1));
    std::vector<std::uint16_t> again(38);
    loops.halve_sums(sums.data(), sums.data(), 38, again.data());
    for (std::size_t i = 0; i < 38; ++i) EXPECT_EQ(again[i], 2 * (sums[2 * i] + sums[2 * i + 1]));
  }
}

// One pixel of 1 in the middle: 256 times the difference of the two kernels, squared and summed
// over its row: fine (1 6 1)/8, coarse (1 4 6 4 1)/16, both along rows and columns.
TEST(LevelRows, BandOfOnePixel) {
  constexpr int count = 41, middle = 20;
  const std::array<double, 5> fine = {0, 1 / 8.0, 6 / 8.0, 1 / 8.0, 0},
                              coarse = {1 / 16.0, 4 / 16.0, 6 / 16.0, 4 / 16.0, 1 / 16.0};
  for (const auto& loops : versions())
    for (std::size_t line = 0; line < 5; ++line) {
      std::vector<std::vector<std::uint16_t>> values(5, std::vector<std::uint16_t>(count));
      values[line][middle] = 1;
      const std::uint16_t* rows[5];
      for (std::size_t k = 0; k < 5; ++k) rows[k] = values[k].data();
      std::vector<std::int32_t> scratch(2 * count);
      double expected = 0;
      for (std::size_t x = 0; x < 5; ++x)
        expected += std::pow(256 * (fine[line] * fine[x] - coarse[line] * coarse[x]), 2);
      EXPECT_NEAR(loops.band(rows, count, scratch.data()), expected, 1e-9);
      values[line] = std::vector<std::uint16_t>(count, 5);
      for (auto& row : values) row = values[line];
      for (std::size_t k = 0; k < 5; ++k) rows[k] = values[k].data();
      EXPECT_EQ(loops.band(rows, count, scratch.data()), 0);  // what is flat has no structure
    }
}

TEST(LevelRows, EdgesAreThoseOfSobel) {
  const cv::Mat1b plane = noise(53, 9, 5);
  cv::Mat across, down;
  cv::Sobel(plane, across, CV_32F, 1, 0);
  cv::Sobel(plane, down, CV_32F, 0, 1);
  for (const auto& loops : versions())
    for (int y = 1; y < 8; ++y) {
      const std::uint8_t* rows[] = {plane[y - 1], plane[y], plane[y + 1]};
      std::vector<std::int16_t> scratch(2 * 53);
      std::vector<std::uint8_t> edges(53);
      loops.edges(rows, 53, scratch.data(), edges.data());
      for (int x = 0; x < 53; ++x) {
        const int sum =
            static_cast<int>(std::abs(across.at<float>(y, x)) + std::abs(down.at<float>(y, x)));
        EXPECT_EQ(edges[static_cast<std::size_t>(x)], std::min(255, sum / 2));
      }
    }
}

TEST(LevelRows, IntegralOfFourChannels) {
  const cv::Mat1b pixels = noise(4 * 19, 2, 6);
  for (const auto& loops : versions()) {
    std::vector<std::int32_t> first(4 * 20), second(4 * 20), none(4 * 20);
    loops.integral(pixels[0], 19, none.data(), first.data());
    loops.integral(pixels[1], 19, first.data(), second.data());
    for (int channel = 0; channel < 4; ++channel) {
      int sum = 0;
      for (int x = 0; x < 19; ++x) {
        EXPECT_EQ(second[static_cast<std::size_t>(4 * x + channel)], sum);
        sum += pixels(0, 4 * x + channel) + pixels(1, 4 * x + channel);
      }
      EXPECT_EQ(second[static_cast<std::size_t>(4 * 19 + channel)], sum);
    }
  }
}

}  // namespace
}  // namespace yolov7::dataset
