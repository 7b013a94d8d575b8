// Noise and compression (data 13.2 rows 41–49): mean, deviation and correlation over 90,000 pixels
// against theory, within five standard errors and rounding.
#include "dataset/augment/transforms/noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

constexpr int side = 300;
constexpr double count = side * side;

cv::Mat result(std::string_view name, const std::string& parameters, const cv::Mat& picture,
               std::uint64_t seed = 1) {
  return applied_to(noise_transforms(), name, parameters, picture, seed);
}

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const cv::Mat& picture, int channel) {
  double sum = 0, squares = 0;
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      const double v = picture.at<cv::Vec3b>(y, x)[channel];
      sum += v, squares += v * v;
    }
  const auto n = static_cast<double>(picture.total());
  return {sum / n, std::sqrt(std::max(0.0, squares / n - sum / n * sum / n))};
}

/// Rounding to whole levels adds 1/12 to the variance. The deviation of n normal values has a
/// standard error of σ / √(2n).
void expect_moments(const cv::Mat& picture, int channel, double mean, double deviation,
                    const char* name) {
  const Moments found = moments(picture, channel);
  const double with_rounding = std::sqrt(deviation * deviation + 1.0 / 12);
  EXPECT_NEAR(found.mean, mean, 5 * with_rounding / std::sqrt(count)) << name;
  EXPECT_NEAR(found.deviation, with_rounding, 5 * with_rounding / std::sqrt(2 * count)) << name;
}

double correlation(const cv::Mat& picture, int a, int b) {
  const Moments first = moments(picture, a), second = moments(picture, b);
  double sum = 0;
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      sum += (picture.at<cv::Vec3b>(y, x)[a] - first.mean) *
             (picture.at<cv::Vec3b>(y, x)[b] - second.mean);
  return sum / static_cast<double>(picture.total()) / (first.deviation * second.deviation);
}

const double independent = 5 / std::sqrt(count);  // five standard errors of a correlation of 0

TEST(NoiseTransforms, KeepTheCommonRules) {
  check_common_rules(noise_transforms(), {{"ImageCompression", "{quality_range: [60, 80]}"}});
}

TEST(FastNormal, MomentsAndTails) {
  Random random(3, 0, 0, 0);
  FastNormal normal(random);
  constexpr int n = 200'000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0, before = 0;
  int beyond_two = 0;
  for (int i = 0; i < n; ++i) {
    const double v = normal();
    sum += v, squares += v * v, fourth += v * v * v * v, neighbours += v * before,
        beyond_two += std::abs(v) > 2;
    before = v;
  }
  const double error = 5 / std::sqrt(n);
  EXPECT_NEAR(sum / n, 0, error);
  EXPECT_NEAR(squares / n, 1, error * std::sqrt(2));
  EXPECT_NEAR(fourth / n, 3, error * std::sqrt(96));  // the variance of the fourth power is 105 − 9
  EXPECT_NEAR(neighbours / n, 0, error);
  EXPECT_NEAR(beyond_two, 0.0455 * n, 5 * std::sqrt(0.0455 * n));
}

// Shares of counts against e^−m mᵏ / k!; mean and variance on both sides of the change of method.
TEST(Poisson, SharesAndMoments) {
  for (const double mean : {0.3, 4.0, 29.0, 31.0, 400.0}) {
    Random random(5, 0, 0, 0);
    FastNormal normal(random);
    constexpr int n = 50'000;
    std::map<std::uint32_t, int> counts;
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
      const std::uint32_t k = poisson(mean, random, normal);
      ++counts[k];
      sum += k, squares += static_cast<double>(k) * k;
    }
    EXPECT_NEAR(sum / n, mean, 5 * std::sqrt(mean / n)) << mean;
    // The variance of a sample variance is (2 m² + m) / n; the normal's rounding adds 1/12.
    EXPECT_NEAR(squares / n - sum / n * sum / n, mean,
                5 * std::sqrt((2 * mean * mean + mean) / n) + (mean >= 30 ? 0.1 : 0))
        << mean;
    if (mean >= 30) continue;
    for (std::uint32_t k = 0; k < 8; ++k) {
      const double p = std::exp(-mean + k * std::log(mean) - std::lgamma(k + 1.0));
      EXPECT_NEAR(counts[k], p * n, 5 * std::sqrt(p * n) + 1) << mean << ' ' << k;
    }
  }
  Random random(5, 0, 0, 0);
  FastNormal normal(random);
  EXPECT_EQ(poisson(0, random, normal), 0u);
}

TEST(GaussNoise, HasItsMoments) {
  const cv::Mat grey = flat({side, side}, {90, 120, 150});
  const cv::Mat own = result("GaussNoise", "{sigma: [6, 6], mean: 3}", grey),
                one = result("GaussNoise", "{sigma: [6, 6], per_channel: false}", grey),
                share = result("GaussNoise", "{std_range: [0.04, 0.04]}", grey);
  for (int c = 0; c < 3; ++c) {
    expect_moments(own, c, 93 + 30 * c, 6, "own");
    expect_moments(one, c, 90 + 30 * c, 6, "one");
    expect_moments(share, c, 90 + 30 * c, 10.2, "share");
  }
  EXPECT_NEAR(correlation(own, 0, 2), 0, independent);
  EXPECT_NEAR(correlation(one, 0, 2), 1, 1e-9);
}

// Grey 128: counts of 100 / 0.5² · 128/255 = 200.8, a relative deviation of 1/√200.8; no hue to
// turn.
TEST(ISONoise, BrightnessIsCountedAndHueTurns) {
  const cv::Mat grey = result("ISONoise", "{color_shift: [0.05, 0.05], intensity: [0.5, 0.5]}",
                              flat({side, side}, {128, 128, 128}));
  expect_moments(grey, 0, 128, 128 / std::sqrt(400 * 128 / 255.0), "grey");
  EXPECT_NEAR(correlation(grey, 0, 2), 1, 1e-9);
  // Hue of pure green without light noise worth speaking of: 0.05 · 0.2 turns are 3.6°; green falls
  // by 255/60 a degree into red or blue.
  const cv::Mat green = result("ISONoise", "{color_shift: [0.5, 0.5], intensity: [0.02, 0.02]}",
                               flat({side, side}, {0, 200, 0}));
  const Moments blue = moments(green, 0), red = moments(green, 2);
  // In hues of 2°: σ = 1.8, and half of the turns go each way: E|N| / 2. Rounding takes the first
  // half step on both sides of 0 away: ∫|x| f(0) = f(0) / 4.
  const double expected =
      (1.8 * std::sqrt(2 / CV_PI) - 0.25 / (1.8 * std::sqrt(2 * CV_PI))) / 2 * 200 / 30;
  EXPECT_NEAR(blue.mean, expected,
              0.15);  // five standard errors are 0.12; colours are whole levels
  EXPECT_NEAR(red.mean, expected, 0.15);
}

// White: 255 / 0.2 = 1275 photons; a relative deviation of linear light of 1/√1275, of the
// displayed value that / 2.2. White is cut, so at 128.
TEST(ShotNoise, CountsPhotonsInLinearLight) {
  const double v = 128, photons = 1275 * std::pow(v / 255, 2.2);
  const Moments found = moments(
      result("ShotNoise", "{scale_range: [0.2, 0.2]}", flat({side, side}, {128, 128, 128})), 1);
  EXPECT_NEAR(found.deviation, std::sqrt(std::pow(v / (2.2 * std::sqrt(photons)), 2) + 1.0 / 12),
              0.05);  // first order in 1/√280
  EXPECT_NEAR(found.mean, v - 0.5 * v * (1 / 2.2) * (1 - 1 / 2.2) / photons,
              0.1);  // the curve of the display bends the mean
  EXPECT_EQ(largest_difference(result("ShotNoise", "{}", flat({5, 5}, {0, 0, 0})),
                               flat({5, 5}, {0, 0, 0})),
            0);
}

TEST(MultiplicativeNoise, OneFactorOrMany) {
  EXPECT_EQ(largest_difference(result("MultiplicativeNoise", "{multiplier: [0.5, 0.5]}",
                                      pixels({2, 1}, {{0, 101, 200}, {10, 20, 255}})),
                               pixels({2, 1}, {{0, 51, 100}, {5, 10, 128}})),
            0);
  const cv::Mat grey = flat({side, side}, {100, 100, 100});
  const double deviation = 0.2 / std::sqrt(12.0) * 100;
  const cv::Mat pixel = result("MultiplicativeNoise", "{elementwise: true}", grey),
                element =
                    result("MultiplicativeNoise", "{elementwise: true, per_channel: true}", grey);
  expect_moments(pixel, 1, 100, deviation, "pixel");
  expect_moments(element, 1, 100, deviation, "element");
  EXPECT_NEAR(correlation(pixel, 0, 1), 1, 1e-9);
  EXPECT_NEAR(correlation(element, 0, 1), 0, independent);
  const cv::Vec3b channel =
      result("MultiplicativeNoise", "{per_channel: true, multiplier: [0.5, 1.5]}", grey, 3)
          .at<cv::Vec3b>(7, 9);
  EXPECT_FALSE(channel[0] == channel[1] && channel[1] == channel[2]);
}

TEST(SaltAndPepper, SharesOfPixels) {
  const cv::Mat found = result("SaltAndPepper", "{amount: [0.1, 0.1], salt_vs_pepper: [0.3, 0.3]}",
                               flat({side, side}, {90, 120, 150}));
  int white = 0, black = 0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
      white += p == cv::Vec3b::all(255), black += p == cv::Vec3b::all(0);
      ASSERT_TRUE(p == cv::Vec3b::all(255) || p == cv::Vec3b::all(0) ||
                  p == cv::Vec3b(90, 120, 150));
    }
  EXPECT_NEAR(white, 0.03 * count, 5 * std::sqrt(0.03 * 0.97 * count));
  EXPECT_NEAR(black, 0.07 * count, 5 * std::sqrt(0.07 * 0.93 * count));
}

TEST(PixelDropout, SharesOfPixelsOrElements) {
  const cv::Mat whole = result("PixelDropout", "{dropout_prob: 0.2, drop_value: 9}",
                               flat({side, side}, {90, 120, 150})),
                single =
                    result("PixelDropout", "{dropout_prob: 0.2, drop_value: 9, per_channel: true}",
                           flat({side, side}, {90, 120, 150}));
  int pixels_gone = 0, elements_gone = 0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const cv::Vec3b p = whole.at<cv::Vec3b>(y, x), q = single.at<cv::Vec3b>(y, x);
      ASSERT_TRUE(p == cv::Vec3b::all(9) || p == cv::Vec3b(90, 120, 150));
      pixels_gone += p[0] == 9;
      for (int c = 0; c < 3; ++c) elements_gone += q[c] == 9;
    }
  EXPECT_NEAR(pixels_gone, 0.2 * count, 5 * std::sqrt(0.16 * count));
  EXPECT_NEAR(elements_gone, 0.6 * count, 5 * std::sqrt(0.48 * count));
}

TEST(CameraGain, VarianceGrowsWithTheSignal) {
  const cv::Mat found =
      result("CameraGain", "{variance_multiplier: 0.02}", flat({side, side}, {60, 120, 180}));
  for (int c = 0; c < 3; ++c)
    expect_moments(found, c, 60 + 60 * c, std::sqrt(0.02 * 255 * (60 + 60 * c)), "gain");
}

// The encoder's own bytes, decoded; rough at quality 10, close at 95.
TEST(ImageCompression, IsEncodeAndDecode) {
  const cv::Mat picture = textured({64, 48});
  EXPECT_EQ(largest_difference(result("ImageCompression", "{quality_range: [40, 40]}", picture),
                               decode_picture(encode_jpeg(picture, 40), "test")),
            0);
  EXPECT_EQ(largest_difference(result("ImageCompression",
                                      "{quality_range: [40, 40], compression_type: webp}", picture),
                               decode_picture(encode_picture("webp", picture, 40), "test")),
            0);
  const auto error = [&](const char* parameters) {
    return cv::norm(result("ImageCompression", parameters, picture), picture, cv::NORM_L1);
  };
  EXPECT_GT(error("{quality_range: [10, 10]}"), 2 * error("{quality_range: [95, 95]}"));
}

// 10 × 5 by 0.2: 2 × 1 pixels, whose nearest are those in the middle of each 5 × 5.
TEST(Downscale, BlocksOfOneColour) {
  cv::Mat picture(5, 10, CV_8UC3);
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 10; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(10 * x),
                                     static_cast<std::uint8_t>(20 * y), 7};
  const cv::Mat found = result("Downscale", "{scale_range: [0.2, 0.2]}", picture);
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 10; ++x)
      EXPECT_EQ(found.at<cv::Vec3b>(y, x), picture.at<cv::Vec3b>(2, x < 5 ? 2 : 7));
  EXPECT_EQ(
      largest_difference(
          result("Downscale", "{scale_range: [1, 1], interpolation: linear}", picture), picture),
      0);
}

}  // namespace
}  // namespace yolov7::dataset
