// The look of another picture (data 13.4 row 106): by hand, by a plain Fourier sum, by the
// statistics that they promise.
#include "dataset/augment/transforms/styles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <opencv2/core.hpp>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

cv::Mat grey_row(const std::vector<int>& values) {
  cv::Mat picture(1, static_cast<int>(values.size()), CV_8UC3);
  for (std::size_t i = 0; i < values.size(); ++i)
    picture.at<cv::Vec3b>(0, static_cast<int>(i)) =
        cv::Vec3b::all(static_cast<std::uint8_t>(values[i]));
  return picture;
}

// Shares 1/4, 2/4, 3/4, 1 of the picture; 1/2 at 100, 3/4 at 200, 1 at 250 of the reference.
TEST(HistogramMatching, ByHand) {
  EXPECT_EQ(largest_difference(
                match_histograms(grey_row({30, 10, 40, 20}), grey_row({100, 250, 100, 200})),
                grey_row({200, 100, 250, 100})),
            0);
}

// A picture and itself reversed have the same distribution: nothing changes.
TEST(HistogramMatching, OfTheSameDistributionIsTheIdentity) {
  const cv::Mat picture = textured({31, 17});
  cv::Mat turned;
  cv::flip(picture, turned, -1);
  EXPECT_EQ(largest_difference(match_histograms(picture, turned), picture), 0);
}

/// Of one channel, in whole turns: F(u, v) = Σ f(x, y) e^(−2πi (ux/w + vy/h)).
std::complex<double> coefficient(const cv::Mat& picture, int channel, int u, int v) {
  std::complex<double> sum = 0;
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      sum += static_cast<double>(picture.at<cv::Vec3b>(y, x)[channel]) *
             std::polar(1.0, -2 * CV_PI *
                                 (static_cast<double>(u * x) / picture.cols +
                                  static_cast<double>(v * y) / picture.rows));
  return sum;
}

// 10 · 8 px, beta 0.2: frequencies up to 1. The result is summed back by hand.
TEST(FourierDomainAdaptation, ByPlainSums) {
  const cv::Mat picture = textured({10, 8});
  cv::Mat reference = textured({10, 8}).t();
  cv::Mat resized(8, 10, CV_8UC3);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 10; ++x)
      resized.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<std::uint8_t>(60 + 9 * x), static_cast<std::uint8_t>(90 + 7 * y),
                    static_cast<std::uint8_t>(100 + 3 * x + 5 * y));
  const cv::Mat result = match_amplitudes(picture, resized, 0.2);
  for (int channel = 0; channel < 3; ++channel)
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 10; ++x) {
        std::complex<double> sum = 0;
        for (int v = -3; v <= 4; ++v)
          for (int u = -4; u <= 5; ++u) {
            std::complex<double> f = coefficient(picture, channel, u, v);
            if (std::abs(u) <= 1 && std::abs(v) <= 1)
              f = std::polar(std::abs(coefficient(resized, channel, u, v)), std::arg(f));
            sum += f * std::polar(1.0, 2 * CV_PI * (u * x / 10.0 + v * y / 8.0));
          }
        // Rounding, and float32 where the sum lies near a half.
        EXPECT_NEAR(result.at<cv::Vec3b>(y, x)[channel], std::clamp(sum.real() / 80, 0.0, 255.0),
                    0.51)
            << channel << ' ' << x << ' ' << y;
      }
}

/// Colours of little contrast around a mean, so that nothing is cut at 0 or 255.
cv::Mat cloud(cv::Size size, const cv::Vec3d& mean, double a, double b, double c) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double p = std::sin(1.7 * x + 0.3 * y), q = std::cos(0.9 * y - 0.4 * x);
      const auto level = [](double v) { return static_cast<std::uint8_t>(std::floor(v + 0.5)); };
      picture.at<cv::Vec3b>(y, x) = {level(mean[0] + a * p), level(mean[1] + b * p + a * q),
                                     level(mean[2] + c * q - b * p + 5 * std::sin(0.05 * x * y))};
    }
  return picture;
}

cv::Matx33d covariance_of(const cv::Mat& picture, cv::Vec3d& mean) {
  cv::Matx33d covariance = cv::Matx33d::zeros();
  mean = {};
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      mean += cv::Vec3d(picture.at<cv::Vec3b>(y, x)) / static_cast<double>(picture.total());
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      const cv::Vec3d d = cv::Vec3d(picture.at<cv::Vec3b>(y, x)) - mean;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
          covariance(i, j) += d[i] * d[j] / static_cast<double>(picture.total());
    }
  return covariance;
}

// Rounding to whole levels adds a variance of 1/12, and as much to products at most.
TEST(PixelDistributionAdaptation, GivesMeanAndCovarianceOfTheReference) {
  const cv::Mat picture = cloud({60, 50}, {90, 120, 140}, 14, 9, 16),
                reference = cloud({45, 70}, {130, 110, 100}, 10, 18, 8);
  cv::Vec3d mean, wanted_mean;
  const cv::Matx33d wanted = covariance_of(reference, wanted_mean);
  const cv::Matx33d found = covariance_of(match_distribution(picture, reference, true), mean);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(mean[i], wanted_mean[i], 0.1);
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(found(i, j), wanted(i, j), 1.0) << i << j;
  }
}

TEST(PixelDistributionAdaptation, StandardIsMeanAndDeviationOfEachChannel) {
  const cv::Mat picture = cloud({20, 16}, {90, 120, 140}, 14, 9, 16),
                reference = cloud({25, 30}, {130, 110, 100}, 10, 18, 8);
  cv::Vec3d from, to;
  const cv::Matx33d s = covariance_of(picture, from), r = covariance_of(reference, to);
  const cv::Mat result = match_distribution(picture, reference, false);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 20; ++x)
      for (int c = 0; c < 3; ++c) {
        const double expected =
            (picture.at<cv::Vec3b>(y, x)[c] - from[c]) * std::sqrt(r(c, c) / s(c, c)) + to[c];
        EXPECT_NEAR(result.at<cv::Vec3b>(y, x)[c], expected,
                    0.51);  // rounding, float32 near a half
      }
}

// A flat picture has no distribution to stretch: it takes the reference's mean.
TEST(PixelDistributionAdaptation, OfAFlatPictureIsTheMean) {
  const cv::Mat result =
      match_distribution(flat({4, 4}, {10, 20, 30}), flat({3, 3}, {50, 60, 70}), true);
  EXPECT_EQ(largest_difference(result, flat({4, 4}, {50, 60, 70})), 0);
}

// x + share · (styled − x): a flat picture and a flat reference.
TEST(Styles, BlendByTheDrawnShare) {
  TransformContext context;
  context.other = [](Random&) { return Sample{flat({5, 5}, {200, 100, 0}), {}}; };
  for (const auto& [name, parameters] :
       {std::pair<const char*, const char*>{"HistogramMatching", "{blend_ratio: [0.75, 0.75]}"},
        {"PixelDistributionAdaptation", "{blend_ratio: [0.75, 0.75]}"}}) {
    const Sample result = applied(style_transforms(), name, parameters,
                                  Sample{flat({4, 4}, {100, 100, 100}), {}}, 1, context);
    EXPECT_EQ(largest_difference(result.picture, flat({4, 4}, {175, 100, 25})), 0) << name;
  }
  const Sample result = applied(style_transforms(), "FDA", "{beta_limit: [0, 0]}",
                                Sample{flat({4, 4}, {100, 100, 100}), {}}, 1, context);
  EXPECT_EQ(largest_difference(result.picture, flat({4, 4}, {200, 100, 0})), 0);
}

}  // namespace
}  // namespace yolov7::dataset
