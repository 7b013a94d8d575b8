// Blur and sharpness (data 13.2 rows 29–40): kernels and pixels by plain loops over the formulas.
#include "dataset/augment/transforms/filters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

cv::Mat result(std::string_view name, const std::string& parameters, const cv::Mat& picture,
               std::uint64_t seed = 1) {
  return applied_to(filter_transforms(), name, parameters, picture, seed);
}

int mirrored(int i, int n) {
  if (n == 1) return 0;
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
  return i;
}

/// Σ kernel(dy, dx) · picture(y + dy, x + dx), mirrored about the outermost pixel: the correlation
/// that image libraries call filter.
cv::Vec3d correlated(const cv::Mat& picture, int x, int y, int reach,
                     const std::function<double(int, int)>& kernel) {
  cv::Vec3d sum;
  for (int dy = -reach; dy <= reach; ++dy)
    for (int dx = -reach; dx <= reach; ++dx)
      sum += kernel(dx, dy) * cv::Vec3d(picture.at<cv::Vec3b>(mirrored(y + dy, picture.rows),
                                                              mirrored(x + dx, picture.cols)));
  return sum;
}

/// `tolerance` beyond rounding: fixed-point or float32 kernels.
void expect_correlation(const cv::Mat& found, const cv::Mat& picture, int reach,
                        const std::function<double(int, int)>& kernel, double tolerance,
                        const char* name) {
  double sum = 0;
  for (int dy = -reach; dy <= reach; ++dy)
    for (int dx = -reach; dx <= reach; ++dx) sum += kernel(dx, dy);
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      const cv::Vec3d expected = correlated(picture, x, y, reach, kernel);
      for (int c = 0; c < 3; ++c)
        ASSERT_NEAR(found.at<cv::Vec3b>(y, x)[c],
                    std::clamp(expected[c] / (name[0] == '=' ? 1 : sum), 0.0, 255.0),
                    0.5 + tolerance)
            << name << ' ' << x << ' ' << y;
    }
}

TEST(FilterTransforms, KeepTheCommonRules) { check_common_rules(filter_transforms()); }

// A flat picture stays flat under everything that only averages, and under sharpening of lightness
// 1 and emboss too: their kernels add up to 1.
TEST(FilterTransforms, FlatPicturesStayFlat) {
  const cv::Mat picture = flat({15, 11}, {10, 120, 250});
  for (const TransformEntry& one : filter_transforms())
    EXPECT_LE(
        largest_difference(
            result(one.name, one.name == "Sharpen" ? "{lightness: [1, 1]}" : "{}", picture, 5),
            picture),
        1)
        << one.name;
}

TEST(FilterTransforms, WindowsByPlainSums) {
  const cv::Mat picture = textured({14, 11});
  expect_correlation(
      result("Blur", "{blur_limit: [5, 5]}", picture), picture, 2, [](int, int) { return 1.0; },
      0.01, "Blur");
  expect_correlation(
      result("GaussianBlur", "{sigma: [1.3, 1.3]}", picture), picture, 4,
      [](int dx, int dy) { return std::exp(-(dx * dx + dy * dy) / (2 * 1.69)); }, 0.6,
      "GaussianBlur");  // 8.8 fixed point
  const double a = 0.3;
  expect_correlation(
      result("Sharpen", "{alpha: [0.3, 0.3], lightness: [0.8, 0.8]}", picture), picture, 1,
      [&](int dx, int dy) { return dx == 0 && dy == 0 ? 1 - a + a * 8.8 : -a; }, 0.01, "=Sharpen");
  // Emboss: light from the lower right: −1 − s at the upper left, 1 + s at the lower right.
  constexpr double s = 0.4;
  const double kernel[3][3] = {{-1 - s, -s, 0}, {-s, 1, s}, {0, s, 1 + s}};
  expect_correlation(
      result("Emboss", "{alpha: [0.3, 0.3], strength: [0.4, 0.4]}", picture), picture, 1,
      [&](int dx, int dy) { return (dx == 0 && dy == 0 ? 0.7 : 0) + 0.3 * kernel[dy + 1][dx + 1]; },
      0.01, "=Emboss");
}

TEST(MedianBlur, IsTheMiddleOfTheWindow) {
  const cv::Mat picture = textured({9, 8});
  const cv::Mat found = result("MedianBlur", "{blur_limit: [3, 3]}", picture);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 9; ++x)
      for (int c = 0; c < 3; ++c) {
        std::vector<int> window;
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx)
            window.push_back(
                picture.at<cv::Vec3b>(std::clamp(y + dy, 0, 7), std::clamp(x + dx, 0, 8))[c]);
        std::sort(window.begin(), window.end());
        ASSERT_EQ(found.at<cv::Vec3b>(y, x)[c], window[4]);
      }
}

// Horizontal: a row of 1/5. Vertical: a column. Direction 1: weights 0, 1/2, 1, 3/2, 2 of 5 from
// the first end to the last.
TEST(MotionBlur, KernelByHand) {
  const cv::Mat even = motion_kernel(5, 0, 0), upright = motion_kernel(5, 90, 0),
                last = motion_kernel(5, 0, 1), slanted = motion_kernel(3, 45, 0);
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) {
      EXPECT_NEAR(even.at<double>(j, i), j == 2 ? 0.2 : 0, 1e-12);
      EXPECT_NEAR(upright.at<double>(j, i), i == 2 ? 0.2 : 0, 1e-12);
      EXPECT_NEAR(last.at<double>(j, i), j == 2 ? 0.1 * i : 0, 1e-12);
    }
  // Counter-clockwise: the ends lie at the upper right and the lower left, √½ away from the middle
  // each way; of their weights (√½)² falls into the corner pixel.
  EXPECT_NEAR(slanted.at<double>(0, 2), 0.5 / 3, 1e-12);
  EXPECT_NEAR(slanted.at<double>(2, 0), 0.5 / 3, 1e-12);
  EXPECT_NEAR(slanted.at<double>(0, 0), 0, 1e-12);
  const cv::Mat picture = textured({14, 11});
  expect_correlation(
      result("MotionBlur", "{blur_limit: [5, 5], angle: [0, 0], direction: [0, 0]}", picture),
      picture, 2, [](int, int dy) { return dy == 0 ? 1.0 : 0.0; }, 0.01, "MotionBlur");
}

// Without enlargement one copy: the picture. A factor up to 1.5 in steps of 0.25: two copies, 1
// and 1.25, bilinear about the centre.
TEST(ZoomBlur, MeanOfEnlargedCopies) {
  const cv::Mat picture = textured({16, 12});
  EXPECT_EQ(
      largest_difference(
          result("ZoomBlur", "{max_factor: [1, 1], step_factor: [0.1, 0.1]}", picture), picture),
      0);
  const cv::Mat found =
      result("ZoomBlur", "{max_factor: [1.5, 1.5], step_factor: [0.25, 0.25]}", picture);
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 16; ++x) {
      const double sx = 7.5 + (x - 7.5) / 1.25, sy = 5.5 + (y - 5.5) / 1.25;
      const int x0 = static_cast<int>(sx), y0 = static_cast<int>(sy);
      const auto at = [&](int i, int j) {
        return cv::Vec3d(picture.at<cv::Vec3b>(std::min(j, 11), std::min(i, 15)));
      };
      const cv::Vec3d copy =
          (at(x0, y0) * (x0 + 1 - sx) + at(x0 + 1, y0) * (sx - x0)) * (y0 + 1 - sy) +
          (at(x0, y0 + 1) * (x0 + 1 - sx) + at(x0 + 1, y0 + 1) * (sx - x0)) * (sy - y0);
      // Coordinates in 32nds of a pixel between neighbours up to 60 levels apart both ways, and a
      // rounding of each copy.
      for (int c = 0; c < 3; ++c)
        ASSERT_NEAR(found.at<cv::Vec3b>(y, x)[c], (picture.at<cv::Vec3b>(y, x)[c] + copy[c]) / 2, 3)
            << x << ' ' << y;
    }
}

// Pixels only change places (with almost no blur around them), further with a larger delta.
TEST(GlassBlur, OnlySwapsNearPixels) {
  cv::Mat picture(20, 30, CV_8UC3);
  for (int y = 0; y < 20; ++y)
    for (int x = 0; x < 30; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(8 * x),
                                     static_cast<std::uint8_t>(12 * y), 50};
  std::vector<double> distances;
  for (const char* parameters : {"{sigma: 0.05, max_delta: 1, iterations: 1}",
                                 "{sigma: 0.05, max_delta: 4, iterations: 1}"}) {
    const cv::Mat found = result("GlassBlur", parameters, picture);
    std::vector<std::pair<int, int>> before, after;
    double distance = 0;
    for (int y = 0; y < 20; ++y)
      for (int x = 0; x < 30; ++x) {
        const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
        before.emplace_back(8 * x, 12 * y), after.emplace_back(p[0], p[1]);
        distance += std::hypot(x - p[0] / 8, y - p[1] / 12) / 600;
      }
    std::sort(before.begin(), before.end()), std::sort(after.begin(), after.end());
    EXPECT_EQ(before, after);
    distances.push_back(distance);
  }
  // A pixel is moved once itself and once on average as another's partner: by √(2/3) px root mean
  // square for delta 1, the outermost ring only in passing.
  EXPECT_TRUE(distances[0] > 0.6 && distances[0] < 1.5) << distances[0];
  EXPECT_GT(distances[1], 1.5 * distances[0]);
}

// Radius 2: 13 pixels have their centre within 2.
TEST(Defocus, DiscByHand) {
  const cv::Mat disc = disc_kernel(2, 0);
  ASSERT_EQ(disc.rows, 5);
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 5; ++x)
      EXPECT_NEAR(disc.at<double>(y, x), (x - 2) * (x - 2) + (y - 2) * (y - 2) <= 4 ? 1.0 / 13 : 0,
                  1e-12);
  const cv::Mat picture = textured({14, 11});
  expect_correlation(
      result("Defocus", "{radius: [2, 2], alias_blur: [0, 0]}", picture), picture, 2,
      [](int dx, int dy) { return dx * dx + dy * dy <= 4 ? 1.0 : 0.0; }, 0.01, "Defocus");
  EXPECT_NEAR(cv::sum(disc_kernel(3, 0.5))[0], 1, 1e-12);
}

// Exponent 2, equal axes: a Gaussian. Turned by 90°: the axes change places.
TEST(AdvancedBlur, KernelByFormula) {
  const cv::Mat round = generalised_gaussian_kernel(5, 1.5, 1.5, 30, 2),
                lying = generalised_gaussian_kernel(5, 2, 0.7, 0, 3),
                standing = generalised_gaussian_kernel(5, 2, 0.7, 90, 3);
  double sum = 0, other = 0;
  for (int y = -2; y <= 2; ++y)
    for (int x = -2; x <= 2; ++x)
      sum += std::exp(-(x * x + y * y) / 4.5),
          other += std::exp(-0.5 * std::pow(x * x / 4.0 + y * y / 0.49, 1.5));
  for (int y = -2; y <= 2; ++y)
    for (int x = -2; x <= 2; ++x) {
      EXPECT_NEAR(round.at<double>(y + 2, x + 2), std::exp(-(x * x + y * y) / 4.5) / sum, 1e-12);
      EXPECT_NEAR(lying.at<double>(y + 2, x + 2),
                  std::exp(-0.5 * std::pow(x * x / 4.0 + y * y / 0.49, 1.5)) / other, 1e-12);
      EXPECT_NEAR(standing.at<double>(y + 2, x + 2), lying.at<double>(x + 2, y + 2), 1e-12);
    }
}

// A step of 100 levels: within the threshold it stays; beyond it both sides move away from each
// other by α times the difference.
TEST(UnsharpMask, EnlargesDifferencesBeyondTheThreshold) {
  cv::Mat picture = flat({20, 9}, {80, 80, 80});
  picture.colRange(10, 20).setTo(cv::Scalar::all(180));
  const double sigma = 0.8, centre = 1 / (1 + 2 * std::exp(-1 / (2 * sigma * sigma))),
               side = (1 - centre) / 2;  // weights of a window of 3
  const cv::Mat found =
      result("UnsharpMask", "{blur_limit: [3, 3], alpha: [0.5, 0.5], threshold: 10}", picture);
  // Blurred: 80 + 100 · side just left of the step. Its rounding counts for half a level of the
  // difference.
  EXPECT_NEAR(found.at<cv::Vec3b>(4, 9)[0], 80 - 0.5 * 100 * side, 0.8);
  EXPECT_NEAR(found.at<cv::Vec3b>(4, 10)[0], 180 + 0.5 * 100 * side, 0.8);
  EXPECT_EQ(found.at<cv::Vec3b>(4, 8)[0], 80);
  EXPECT_EQ(
      largest_difference(
          result("UnsharpMask", "{blur_limit: [3, 3], alpha: [0.5, 0.5], threshold: 60}", picture),
          picture),
      0);
}

// J₁ by its series; the centre is the limit c² / 4π. The kernel passes what is slow and rings
// beside an edge.
TEST(RingingOvershoot, KernelBySeries) {
  const double cutoff = 1.1;
  const auto j1 = [](double x) {
    double term = x / 2, sum = term;
    for (int k = 1; k < 30; ++k) sum += term *= -x * x / 4 / (k * (k + 1));
    return sum;
  };
  const cv::Mat kernel = sinc_kernel(7, cutoff);
  const auto raw = [&](int x, int y) {
    const double r = std::sqrt(x * x + y * y);
    return r == 0 ? cutoff * cutoff / (4 * CV_PI) : cutoff * j1(cutoff * r) / (2 * CV_PI * r);
  };
  double sum = 0;
  for (int y = -3; y <= 3; ++y)
    for (int x = -3; x <= 3; ++x) sum += raw(x, y);
  for (int y = -3; y <= 3; ++y)
    for (int x = -3; x <= 3; ++x)
      EXPECT_NEAR(kernel.at<double>(y + 3, x + 3), raw(x, y) / sum, 1e-10);
  cv::Mat picture = flat({30, 30}, {80, 80, 80});
  picture.colRange(15, 30).setTo(cv::Scalar::all(180));
  const cv::Mat found =
      result("RingingOvershoot", "{blur_limit: [15, 15], cutoff: [1.2, 1.2]}", picture);
  double low = 0, high = 0;
  cv::minMaxLoc(found.reshape(1), &low, &high);
  EXPECT_TRUE(low < 78 && high > 182) << low << ' ' << high;
}

}  // namespace
}  // namespace yolov7::dataset
