#include "exporting/palette.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;

namespace {

double mean_squared_error(const std::vector<float>& values, const Palette& palette) {
  const std::vector<float> dense = palette.dense();
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    sum += std::pow(static_cast<double>(values[i]) - static_cast<double>(dense[i]), 2);
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST(Palette, FewDifferentValuesAreExact) {
  const std::vector<float> values{3, -1, 3, 0.5F};
  const Palette palette = palette_of(values);
  EXPECT_EQ(palette.places, (std::vector<std::uint8_t>{2, 0, 2, 1}));
  EXPECT_EQ(palette.dense(), values);
  ASSERT_EQ(palette.numbers.size(), 256U);
  EXPECT_TRUE(std::ranges::is_sorted(palette.numbers));
  std::vector<float> each;
  for (int i = 255; i >= 0; --i) each.push_back(static_cast<float>(i));
  EXPECT_EQ(palette_of(each).dense(), each);
}

TEST(Palette, EveryValueGetsTheNearestNumber) {
  const std::vector<float> values = yolov7::testing::noise(5000, 4);
  const Palette palette = palette_of(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    float nearest = std::numeric_limits<float>::infinity();
    for (const float number : palette.numbers)
      nearest = std::min(nearest, std::abs(values[i] - number));
    EXPECT_NEAR(std::abs(values[i] - palette.numbers[palette.places[i]]), nearest, 1e-7) << i;
  }
}

// Uniform: 256 cells of one width, variance width² / 12. Normal: √3 π / 2 · 1 / 256² for many
// numbers (Panter and Dite 1951). A tenth for the sample and the local minimum.
TEST(Palette, TheErrorIsThatOfTheBestNumbers) {
  std::vector<float> uniform;
  for (int i = 0; i < 256 * 64; ++i) uniform.push_back(static_cast<float>(i) / (256 * 64));
  EXPECT_NEAR(mean_squared_error(uniform, palette_of(uniform)) * 256 * 256 * 12, 1, 0.1);
  std::mt19937 generator(7);
  std::normal_distribution<float> one;
  std::vector<float> normal;
  for (int i = 0; i < 300000; ++i) normal.push_back(one(generator));
  EXPECT_NEAR(mean_squared_error(normal, palette_of(normal)) * 256 * 256,
              std::sqrt(3.0) * 3.14159265 / 2, 0.27);
}

TEST(Palette, NoNumberIsAnError) {
  EXPECT_NE(test::error_of([] {
              palette_of(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
            }).find("expected finite numbers"),
            std::string::npos);
}
