#include "dataset/augment/transforms/styles.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "dataset/augment/transforms/colour_statistics.hpp"

namespace yolov7::dataset {
namespace {

/// (1 − share) · picture + share · styled, into the sample.
void blend(Sample& sample, const cv::Mat& styled, double share) {
  cv::addWeighted(sample.picture, 1 - share, styled, share, 0, sample.picture);
}

// Draws of all: the share, then the strength, then the other picture's.
struct HistogramMatching {
  std::vector<double> blend_ratio{0.5, 1};
};
Settings settings(HistogramMatching& o) {
  return Settings{
      "HistogramMatching",
      {setting("blend_ratio", o.blend_ratio, "share of the matched image").range(0, 1)}};
}
void apply(const HistogramMatching& o, Sample& sample, Random& random,
           const TransformContext& context) {
  if (!context.other) return;
  const double share = between(o.blend_ratio, random);
  blend(sample, match_histograms(sample.picture, context.other(random).picture), share);
}

struct FourierDomainAdaptation {
  std::vector<double> beta_limit{0, 0.1};
};
Settings settings(FourierDomainAdaptation& o) {
  return Settings{
      "FDA",
      {setting("beta_limit", o.beta_limit,
               "share of the shorter side up to which a frequency's amplitude is the other image's")
           .range(0, 0.5)}};
}
void apply(const FourierDomainAdaptation& o, Sample& sample, Random& random,
           const TransformContext& context) {
  if (!context.other) return;
  const double beta = between(o.beta_limit, random);
  sample.picture = match_amplitudes(sample.picture, context.other(random).picture, beta);
}

struct PixelDistributionAdaptation {
  std::vector<double> blend_ratio{0.25, 1};
  std::string transform_type = "covariance";
};
Settings settings(PixelDistributionAdaptation& o) {
  return Settings{
      "PixelDistributionAdaptation",
      {
          setting("blend_ratio", o.blend_ratio, "share of the adapted image").range(0, 1),
          setting("transform_type", o.transform_type,
                  "what is adapted: mean and covariance of the colours, or mean and deviation of "
                  "each channel")
              .choices({"covariance", "standard"}),
      }};
}
void apply(const PixelDistributionAdaptation& o, Sample& sample, Random& random,
           const TransformContext& context) {
  if (!context.other) return;
  const double share = between(o.blend_ratio, random);
  blend(sample,
        match_distribution(sample.picture, context.other(random).picture,
                           o.transform_type == "covariance"),
        share);
}

/// Counts to the share of the pixels with at most each value.
void accumulate(std::array<double, 256>& counts, double pixels) {
  double sum = 0;
  for (double& count : counts) count = (sum += count) / pixels;
}

/// Symmetric M^power; directions without variance (below a thousandth of a grey level squared) are
/// left out.
cv::Matx33d power(const cv::Matx33d& m, double exponent) {
  cv::Vec3d values;
  cv::Matx33d vectors;  // rows
  cv::eigen(m, values, vectors);
  cv::Matx33d scaled = cv::Matx33d::zeros();
  for (int i = 0; i < 3; ++i)
    if (values[i] > 1e-3) scaled(i, i) = std::pow(values[i], exponent);
  return vectors.t() * scaled * vectors;
}

cv::Matx33d diagonal(const cv::Matx33d& m) { return {m(0, 0), 0, 0, 0, m(1, 1), 0, 0, 0, m(2, 2)}; }

}  // namespace

cv::Mat match_histograms(const cv::Mat& picture, const cv::Mat& reference) {
  cv::Mat table(1, 256, CV_8UC3), out;
  auto shares = colour_histograms(picture), wanted_shares = colour_histograms(reference);
  for (int channel = 0; channel < 3; ++channel) {
    auto &own = shares[static_cast<std::size_t>(channel)],
         &wanted = wanted_shares[static_cast<std::size_t>(channel)];
    accumulate(own, static_cast<double>(picture.total()));
    accumulate(wanted, static_cast<double>(reference.total()));
    for (int value = 0; value < 256; ++value) {
      const auto at =
          std::lower_bound(wanted.begin(), wanted.end(), own[static_cast<std::size_t>(value)]);
      table.at<cv::Vec3b>(0, value)[channel] =
          static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(255, at - wanted.begin()));
    }
  }
  cv::LUT(picture, table, out);
  return out;
}

cv::Mat match_amplitudes(const cv::Mat& picture, const cv::Mat& reference, double beta) {
  const cv::Size size = picture.size();
  const int reach = static_cast<int>(beta * std::min(size.width, size.height));
  cv::Mat resized;
  cv::resize(reference, resized, size, 0, 0, cv::INTER_LINEAR);
  std::array<cv::Mat, 3> own, other;
  cv::split(picture, own.data());
  cv::split(resized, other.data());
  for (std::size_t c = 0; c < 3; ++c) {
    cv::Mat a, b;
    own[c].convertTo(a, CV_32F);
    other[c].convertTo(b, CV_32F);
    cv::dft(a, a, cv::DFT_COMPLEX_OUTPUT);
    cv::dft(b, b, cv::DFT_COMPLEX_OUTPUT);
    // Low frequencies stand at the four corners.
    for (int y = -reach; y <= reach; ++y)
      for (int x = -reach; x <= reach; ++x) {
        auto& f = a.at<cv::Vec2f>((y + size.height) % size.height, (x + size.width) % size.width);
        const auto& r =
            b.at<cv::Vec2f>((y + size.height) % size.height, (x + size.width) % size.width);
        const double amplitude = std::hypot(f[0], f[1]), wanted = std::hypot(r[0], r[1]);
        // Without an amplitude there is no phase; it is 0.
        f = amplitude > 0 ? cv::Vec2f(f * static_cast<float>(wanted / amplitude))
                          : cv::Vec2f(static_cast<float>(wanted), 0);
      }
    cv::idft(a, a, cv::DFT_SCALE | cv::DFT_REAL_OUTPUT);
    a.convertTo(own[c], CV_8U);
  }
  cv::Mat out;
  cv::merge(own.data(), 3, out);
  return out;
}

cv::Mat match_distribution(const cv::Mat& picture, const cv::Mat& reference, bool covariance) {
  const ColourMoments from = colour_moments(picture), to = colour_moments(reference);
  const cv::Matx33d s = covariance ? from.covariance : diagonal(from.covariance),
                    r = covariance ? to.covariance : diagonal(to.covariance);
  const cv::Matx33d m = power(r, 0.5) * power(s, -0.5);
  const cv::Vec3d shift = to.mean - m * from.mean;
  cv::Mat out;
  cv::transform(picture, out,
                cv::Mat(cv::Matx34d(m(0, 0), m(0, 1), m(0, 2), shift[0], m(1, 0), m(1, 1), m(1, 2),
                                    shift[1], m(2, 0), m(2, 1), m(2, 2), shift[2])));
  return out;
}

std::vector<TransformEntry> style_transforms() {
  constexpr auto none = BoxRule::none;
  return {
      entry<HistogramMatching>("HistogramMatching", none, Stage::pixels, 0.5,
                               "The distribution of each channel becomes that of another image"),
      entry<FourierDomainAdaptation>("FDA", none, Stage::pixels, 0.5,
                                     "Low frequencies get the amplitudes of another image"),
      entry<PixelDistributionAdaptation>(
          "PixelDistributionAdaptation", none, Stage::pixels, 0.5,
          "Mean and covariance of the colours become those of another image")};
}

}  // namespace yolov7::dataset
