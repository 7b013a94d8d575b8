#include "dataset/augment/transforms/filters.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;
constexpr int border =
    cv::BORDER_REFLECT_101 |
    cv::BORDER_ISOLATED;  // what lies around a part of a larger picture is not read

void convolve(cv::Mat& picture, const cv::Mat& kernel) {
  cv::Mat out;
  cv::filter2D(picture, out, -1, kernel, {-1, -1}, 0, border);
  picture = out;
}

cv::Mat normalised(cv::Mat kernel) {
  kernel /= cv::sum(kernel)[0];
  return kernel;
}

Setting blur_setting(std::vector<int>& limit) {
  return setting("blur_limit", limit, "side of the window, pixels; odd ones are drawn")
      .range(1, 999);
}

// Row 29.
struct Blur {
  std::vector<int> blur_limit{3, 7};
};
Settings settings(Blur& o) { return Settings{"Blur", {blur_setting(o.blur_limit)}}; }
void apply(const Blur& o, Sample& sample, Random& random, Context) {
  const int side = odd_between(o.blur_limit, random);
  cv::Mat out;
  cv::blur(sample.picture, out, {side, side}, {-1, -1}, border);
  sample.picture = out;
}

// Row 30.
struct GaussianBlur {
  std::vector<double> sigma{0.5, 3};
};
Settings settings(GaussianBlur& o) {
  return Settings{"GaussianBlur",
                  {setting("sigma", o.sigma, "standard deviation, pixels")
                       .range(0.01, 100)
                       .alias("sigma_limit")}};
}
void apply(const GaussianBlur& o, Sample& sample, Random& random, Context) {
  sample.picture = gaussian(sample.picture, between(o.sigma, random));
}

// Row 31.
struct MedianBlur {
  std::vector<int> blur_limit{3, 7};
};
Settings settings(MedianBlur& o) { return Settings{"MedianBlur", {blur_setting(o.blur_limit)}}; }
void apply(const MedianBlur& o, Sample& sample, Random& random, Context) {
  cv::Mat out;
  cv::medianBlur(sample.picture, out,
                 odd_between(o.blur_limit, random));  // its border repeats the outermost pixel
  sample.picture = out;
}

// Row 32. Draws: length, angle, direction.
struct MotionBlur {
  std::vector<int> blur_limit{3, 7};
  std::vector<double> angle{0, 360}, direction{-1, 1};
};
Settings settings(MotionBlur& o) {
  return Settings{
      "MotionBlur",
      {
          setting("blur_limit", o.blur_limit, "length of the movement, pixels; odd ones are drawn")
              .range(1, 999),
          setting("angle", o.angle, "degrees, counter-clockwise from the x axis")
              .range(-360, 360)
              .alias("angle_range"),
          setting("direction", o.direction,
                  "-1: all weight at the first end, 0: even, 1: at the last end")
              .range(-1, 1)
              .alias("direction_range"),
      }};
}
void apply(const MotionBlur& o, Sample& sample, Random& random, Context) {
  const int length = odd_between(o.blur_limit, random);
  const double angle = between(o.angle, random), direction = between(o.direction, random);
  convolve(sample.picture, motion_kernel(length, angle, direction));
}

// Row 33. Draws: largest factor, step.
struct ZoomBlur {
  std::vector<double> max_factor{1, 1.31}, step{0.01, 0.03};
};
Settings settings(ZoomBlur& o) {
  return Settings{
      "ZoomBlur",
      {
          setting("max_factor", o.max_factor, "enlargement up to which copies are taken")
              .range(1, 10),
          setting("step_factor", o.step, "from one enlargement to the next").range(0.001, 1),
      }};
}
void apply(const ZoomBlur& o, Sample& sample, Random& random, Context) {
  const double largest = between(o.max_factor, random), step = between(o.step, random),
               w = sample.picture.cols, h = sample.picture.rows;
  const int copies = std::max(1, static_cast<int>(std::ceil((largest - 1) / step)));
  cv::Mat sum = cv::Mat::zeros(sample.picture.size(), CV_32FC3), enlarged;
  for (int i = 0; i < copies; ++i) {
    const double f = 1 + i * step, cx = (w - 1) / 2, cy = (h - 1) / 2;
    cv::warpAffine(sample.picture, enlarged, cv::Matx23d(f, 0, cx - f * cx, 0, f, cy - f * cy),
                   sample.picture.size(), cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
    cv::accumulate(enlarged, sum);
  }
  sum.convertTo(sample.picture, CV_8UC3, 1.0 / copies);
}

// Row 34. Draws for each iteration and inner pixel, row by row from the last: dx, dy.
struct GlassBlur {
  double sigma = 0.7;
  int max_delta = 4, iterations = 2;
};
Settings settings(GlassBlur& o) {
  return Settings{
      "GlassBlur",
      {
          setting("sigma", o.sigma, "of the Gaussian before and after, pixels").range(0.01, 100),
          setting("max_delta", o.max_delta, "largest distance of a swap each way, pixels")
              .range(1, 100),
          setting("iterations", o.iterations, "rounds of swaps").range(1, 10),
      }};
}
void apply(const GlassBlur& o, Sample& sample, Random& random, Context) {
  cv::Mat picture = gaussian(sample.picture, o.sigma);
  for (int round = 0; round < o.iterations; ++round)
    for (int y = picture.rows - o.max_delta - 1; y >= o.max_delta; --y)
      for (int x = picture.cols - o.max_delta - 1; x >= o.max_delta; --x) {
        const auto range = static_cast<std::uint32_t>(2 * o.max_delta + 1);
        const std::uint32_t bits =
            random.next();  // both draws of a pixel; 16 bits are enough for 201 values
        const int dx = static_cast<int>((bits & 0xFFFF) * range >> 16) - o.max_delta,
                  dy = static_cast<int>((bits >> 16) * range >> 16) - o.max_delta;
        std::swap(picture.at<cv::Vec3b>(y, x), picture.at<cv::Vec3b>(y + dy, x + dx));
      }
  sample.picture = gaussian(picture, o.sigma);
}

// Row 35. Draws: radius, blur.
struct Defocus {
  std::vector<int> radius{3, 10};
  std::vector<double> alias_blur{0.1, 0.5};
};
Settings settings(Defocus& o) {
  return Settings{
      "Defocus",
      {
          setting("radius", o.radius, "of the disc, pixels").range(1, 500),
          setting("alias_blur", o.alias_blur, "Gaussian that softens the disc's edge, pixels")
              .range(0, 20),
      }};
}
void apply(const Defocus& o, Sample& sample, Random& random, Context) {
  const int radius = whole_between(o.radius, random);
  convolve(sample.picture, disc_kernel(radius, between(o.alias_blur, random)));
}

// Row 36. Draws: size, sigmas, angle, beta.
struct AdvancedBlur {
  std::vector<int> blur_limit{3, 7};
  std::vector<double> sigma_x{0.2, 1}, sigma_y{0.2, 1}, rotate{90}, beta{0.5, 8};
};
Settings settings(AdvancedBlur& o) {
  return Settings{
      "AdvancedBlur",
      {
          blur_setting(o.blur_limit),
          setting("sigma_x_limit", o.sigma_x, "standard deviation along the first axis, pixels")
              .range(0.01, 100),
          setting("sigma_y_limit", o.sigma_y, "standard deviation along the second axis, pixels")
              .range(0.01, 100),
          setting("rotate_limit", o.rotate, "± rotation of the axes, degrees").range(-180, 180),
          setting("beta_limit", o.beta,
                  "exponent: 2 is a Gaussian, above it is flatter, below more pointed")
              .range(0.1, 20),
      }};
}
void apply(const AdvancedBlur& o, Sample& sample, Random& random, Context) {
  const int size = odd_between(o.blur_limit, random);
  const double x = between(o.sigma_x, random), y = between(o.sigma_y, random),
               angle = around(o.rotate, random), beta = between(o.beta, random);
  convolve(sample.picture, generalised_gaussian_kernel(size, x, y, angle, beta));
}

/// (1 − alpha) · identity + alpha · kernel.
cv::Mat blended(double alpha, const cv::Matx33d& kernel) {
  return cv::Mat(cv::Matx33d(0, 0, 0, 0, 1, 0, 0, 0, 0) * (1 - alpha) + kernel * alpha);
}

// Row 37. Draws: alpha, lightness.
struct Sharpen {
  std::vector<double> alpha{0.2, 0.5}, lightness{0.5, 1};
};
Settings settings(Sharpen& o) {
  return Settings{"Sharpen",
                  {
                      setting("alpha", o.alpha, "share of the sharpened image").range(0, 1),
                      setting("lightness", o.lightness, "of the sharpened image").range(0, 10),
                  }};
}
void apply(const Sharpen& o, Sample& sample, Random& random, Context) {
  const double alpha = between(o.alpha, random), lightness = between(o.lightness, random);
  convolve(sample.picture,
           blended(alpha, cv::Matx33d(-1, -1, -1, -1, 8 + lightness, -1, -1, -1, -1)));
}

// Row 38. Draws: size, alpha. The Gaussian's deviation is that of its window: 0.3 ((size − 1) / 2 −
// 1) + 0.8.
struct UnsharpMask {
  std::vector<int> blur_limit{3, 7};
  std::vector<double> alpha{0.2, 0.5};
  int threshold = 10;
};
Settings settings(UnsharpMask& o) {
  return Settings{"UnsharpMask",
                  {
                      blur_setting(o.blur_limit),
                      setting("alpha", o.alpha, "strength").range(0, 10),
                      setting("threshold", o.threshold, "differences up to this many levels stay")
                          .range(0, 255),
                  }};
}
void apply(const UnsharpMask& o, Sample& sample, Random& random, Context) {
  const int side = odd_between(o.blur_limit, random);
  const double alpha = between(o.alpha, random);
  const double sigma = 0.3 * ((side - 1) / 2.0 - 1) + 0.8;
  cv::Mat blurred;
  cv::GaussianBlur(sample.picture, blurred, {side, side}, sigma, sigma, border);
  for (int y = 0; y < sample.picture.rows; ++y) {
    auto* p = sample.picture.ptr<std::uint8_t>(y);
    const auto* b = blurred.ptr<std::uint8_t>(y);
    for (int i = 0; i < 3 * sample.picture.cols; ++i)
      if (std::abs(p[i] - b[i]) > o.threshold) p[i] = to_byte(p[i] + alpha * (p[i] - b[i]));
  }
}

// Row 39. Draws: alpha, strength.
struct Emboss {
  std::vector<double> alpha{0.2, 0.5}, strength{0.2, 0.7};
};
Settings settings(Emboss& o) {
  return Settings{"Emboss",
                  {
                      setting("alpha", o.alpha, "share of the embossed image").range(0, 1),
                      setting("strength", o.strength, "of the relief").range(0, 10),
                  }};
}
void apply(const Emboss& o, Sample& sample, Random& random, Context) {
  const double alpha = between(o.alpha, random), s = between(o.strength, random);
  convolve(sample.picture, blended(alpha, cv::Matx33d(-1 - s, -s, 0, -s, 1, s, 0, s, 1 + s)));
}

// Row 40. Draws: size, cutoff.
struct RingingOvershoot {
  std::vector<int> blur_limit{7, 15};
  std::vector<double> cutoff{CV_PI / 4, CV_PI / 2};
};
Settings settings(RingingOvershoot& o) {
  return Settings{
      "RingingOvershoot",
      {
          blur_setting(o.blur_limit),
          setting("cutoff", o.cutoff, "highest angular frequency that passes, radians per pixel")
              .range(0.01, CV_PI),
      }};
}
void apply(const RingingOvershoot& o, Sample& sample, Random& random, Context) {
  const int size = odd_between(o.blur_limit, random);
  convolve(sample.picture, sinc_kernel(size, between(o.cutoff, random)));
}

}  // namespace

cv::Mat gaussian(const cv::Mat& picture, double sigma) {
  const int side = 2 * std::max(1, static_cast<int>(std::ceil(3 * sigma))) + 1;
  cv::Mat out;
  cv::GaussianBlur(picture, out, {side, side}, sigma, sigma, border);
  return out;
}

cv::Mat motion_kernel(int length, double degrees, double direction) {
  cv::Mat kernel = cv::Mat::zeros(length, length, CV_64F);
  const double c = std::cos(degrees * CV_PI / 180), s = std::sin(degrees * CV_PI / 180),
               half = (length - 1) / 2.0;
  for (int i = 0; i < length; ++i) {
    const double at = i - half, along = half > 0 ? at / half : 0;
    // Each point's weight goes to the four pixels around it; y points downwards.
    const double x = half + at * c, y = half - at * s, weight = 1 + direction * along;
    const int x0 = std::clamp(static_cast<int>(std::floor(x)), 0, length - 1),
              y0 = std::clamp(static_cast<int>(std::floor(y)), 0, length - 1);
    const int x1 = std::min(x0 + 1, length - 1), y1 = std::min(y0 + 1, length - 1);
    kernel.at<double>(y0, x0) += weight * (1 - (x - x0)) * (1 - (y - y0));
    kernel.at<double>(y0, x1) += weight * (x - x0) * (1 - (y - y0));
    kernel.at<double>(y1, x0) += weight * (1 - (x - x0)) * (y - y0);
    kernel.at<double>(y1, x1) += weight * (x - x0) * (y - y0);
  }
  return normalised(kernel);
}

cv::Mat disc_kernel(int radius, double sigma) {
  const int margin = static_cast<int>(std::ceil(3 * sigma)), side = 2 * (radius + margin) + 1;
  cv::Mat kernel = cv::Mat::zeros(side, side, CV_64F);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      kernel.at<double>(y, x) =
          std::hypot(x - radius - margin, y - radius - margin) <= radius ? 1 : 0;
  if (sigma > 0)
    cv::GaussianBlur(kernel, kernel, {2 * margin + 1, 2 * margin + 1}, sigma, sigma,
                     cv::BORDER_CONSTANT);
  return normalised(kernel);
}

cv::Mat generalised_gaussian_kernel(int size, double sigma_x, double sigma_y, double degrees,
                                    double beta) {
  cv::Mat kernel(size, size, CV_64F);
  const double c = std::cos(degrees * CV_PI / 180), s = std::sin(degrees * CV_PI / 180),
               half = (size - 1) / 2.0;
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double x = i - half, y = half - j, u = (c * x + s * y) / sigma_x,
                   v = (-s * x + c * y) / sigma_y;
      kernel.at<double>(j, i) = std::exp(-0.5 * std::pow(std::hypot(u, v), beta));
    }
  return normalised(kernel);
}

cv::Mat sinc_kernel(int size, double cutoff) {
  cv::Mat kernel(size, size, CV_64F);
  const double half = (size - 1) / 2.0;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const double r = std::hypot(x - half, y - half);
      kernel.at<double>(y, x) =
          r == 0 ? cutoff * cutoff / (4 * CV_PI) : cutoff * ::j1(cutoff * r) / (2 * CV_PI * r);
    }
  return normalised(kernel);
}

std::vector<TransformEntry> filter_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  return {
      entry<Blur>("Blur", none, stage, 0.5, "Mean of a square window"),
      entry<GaussianBlur>("GaussianBlur", none, stage, 0.5, "Gaussian blur"),
      entry<MedianBlur>("MedianBlur", none, stage, 0.5, "Median of a square window"),
      entry<MotionBlur>("MotionBlur", none, stage, 0.5, "Blur along a line, as of a moving camera"),
      entry<ZoomBlur>("ZoomBlur", none, stage, 0.5,
                      "Mean of enlarged copies, as of a zoom while the shutter is open"),
      entry<GlassBlur>("GlassBlur", none, stage, 0.5,
                       "Pixels change places with near ones between two blurs"),
      entry<Defocus>("Defocus", none, stage, 0.5, "Blur by a disc, as of a lens out of focus"),
      entry<AdvancedBlur>("AdvancedBlur", none, stage, 0.5,
                          "Blur by a rotated generalised Gaussian"),
      entry<Sharpen>("Sharpen", none, stage, 0.5, "Blend with a sharpened image"),
      entry<UnsharpMask>("UnsharpMask", none, stage, 0.5,
                         "Differences from a blurred image are enlarged"),
      entry<Emboss>("Emboss", none, stage, 0.5, "Blend with a relief"),
      entry<RingingOvershoot>("RingingOvershoot", none, stage, 0.5,
                              "Ideal low pass, which rings at edges")};
}

}  // namespace yolov7::dataset
