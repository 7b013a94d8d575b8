#include "dataset/augment/transforms/noise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "dataset/augment/transforms/pixel_map.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace {

// "Row n" is a row of the table of transforms (data 13.2). "Draws" are the random values that a
// transform takes, in their order.

using Context = const TransformContext&;

/// Every element of the picture becomes f(element), row by row.
template <class F>
void map_elements(cv::Mat& bgr, F f) {
  for (int y = 0; y < bgr.rows; ++y) {
    auto* p = bgr.ptr<std::uint8_t>(y);
    for (auto* const end = p + std::ptrdiff_t{3} * bgr.cols; p != end; ++p) *p = to_byte(f(*p));
  }
}

/// Uniform from 0 to 1 (excluded), from 32 random bits.
double uniform_share(Random& random) { return random.next() * 0x1p-32; }

// Row 41, data 12.4. Draws: sigma, then one value per element, or per pixel.
struct GaussNoise {
  std::vector<double> sigma{std::sqrt(10.0), std::sqrt(50.0)}, std_range{0, 0};
  double mean = 0;
  bool per_channel = true;
};
Settings settings(GaussNoise& o) {
  return Settings{
      "GaussNoise",
      {
          setting("sigma", o.sigma, "standard deviation, levels").range(0, 255),
          setting("std_range", o.std_range,
                  "standard deviation as a share of 255; a value above 0 replaces sigma")
              .range(0, 1),
          setting("mean", o.mean, "levels").range(-255, 255),
          setting("per_channel", o.per_channel,
                  "each channel gets its own noise; off: all channels of a pixel get the same"),
      }};
}
void apply(const GaussNoise& o, Sample& sample, Random& random, Context) {
  const double sigma =
      o.std_range.back() > 0 ? 255 * between(o.std_range, random) : between(o.sigma, random);
  FastNormal normal(random);
  if (o.per_channel) {
    map_elements(sample.picture, [&](int v) { return v + o.mean + sigma * normal(); });
  } else {
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
      return p + cv::Vec3d::all(o.mean + sigma * normal());
    });
  }
}

// Row 42. Draws: colour shift, intensity; a hue change for every pixel; then a photon count for
// every pixel. A white pixel expects 100 / intensity² photons, a darker one fewer. All channels of
// a pixel are multiplied by its count / its expected count.
struct ISONoise {
  std::vector<double> color_shift{0.01, 0.05}, intensity{0.1, 0.5};
};
Settings settings(ISONoise& o) {
  return Settings{
      "ISONoise",
      {
          setting("color_shift", o.color_shift,
                  "standard deviation of the hue at intensity 1; 1 = the whole colour circle")
              .range(0, 1),
          setting("intensity", o.intensity,
                  "ten times the relative standard deviation of a white pixel")
              .range(0.001, 10),
      }};
}
void apply(const ISONoise& o, Sample& sample, Random& random, Context) {
  const double colour = between(o.color_shift, random), intensity = between(o.intensity, random),
               photons = 100 / (intensity * intensity);
  FastNormal normal(random);
  cv::Mat hsv;
  cv::cvtColor(sample.picture, hsv, cv::COLOR_BGR2HSV);
  for (int y = 0; y < hsv.rows; ++y)
    for (int x = 0; x < hsv.cols; ++x) {
      auto& hue = hsv.at<cv::Vec3b>(y, x)[0];
      const double turned = std::fmod(hue + 180 * colour * intensity * normal() + 0.5, 180);
      hue = static_cast<std::uint8_t>(turned < 0 ? std::min(turned + 180, 179.0) : turned);
    }
  cv::cvtColor(hsv, sample.picture, cv::COLOR_HSV2BGR);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
    const double expected = photons * luma(p) / 255;
    return expected > 0 ? p * (poisson(expected, random, normal) / expected) : p;
  });
}

// Row 43. Draws: scale, then one photon count per element. The value 255 expects 255 / scale
// photons. Other values expect fewer, in proportion to their linear light.
struct ShotNoise {
  std::vector<double> scale{0.1, 0.3};
};
Settings settings(ShotNoise& o) {
  return Settings{
      "ShotNoise",
      {setting("scale_range", o.scale, "255 divided by the photons at white: larger is noisier")
           .range(0.0001, 255)}};
}
void apply(const ShotNoise& o, Sample& sample, Random& random, Context) {
  const double photons = 255 / between(o.scale, random);
  constexpr double display_gamma = 2.2;
  std::array<double, 256> expected{};
  for (std::size_t v = 0; v < 256; ++v)
    expected[v] = photons * std::pow(static_cast<double>(v) / 255, display_gamma);
  const auto displayed = [&](std::uint32_t count) {
    return 255 * std::pow(count / photons, 1 / display_gamma);
  };
  // A table of the usual counts, because pow() for each element would take most of the time.
  std::vector<double> table(static_cast<std::size_t>(std::min(photons + 1, 65'536.0)));
  for (std::size_t count = 0; count < table.size(); ++count)
    table[count] = displayed(static_cast<std::uint32_t>(count));
  FastNormal normal(random);
  map_elements(sample.picture, [&](std::uint8_t v) {
    const std::uint32_t count = poisson(expected[v], random, normal);
    return count < table.size() ? table[count] : displayed(count);
  });
}

// Row 44. Draws: one factor, or one per channel, per pixel or per element.
struct MultiplicativeNoise {
  std::vector<double> multiplier{0.9, 1.1};
  bool per_channel = false, elementwise = false;
};
Settings settings(MultiplicativeNoise& o) {
  return Settings{"MultiplicativeNoise",
                  {
                      setting("multiplier", o.multiplier, "factor").range(0, 10),
                      setting("per_channel", o.per_channel, "a factor for each channel"),
                      setting("elementwise", o.elementwise, "a factor for each pixel"),
                  }};
}
void apply(const MultiplicativeNoise& o, Sample& sample, Random& random, Context) {
  const double low = o.multiplier.front(), width = o.multiplier.back() - low;
  const auto factor = [&] { return low + width * uniform_share(random); };
  const auto factors = [&] {
    cv::Vec3d all = cv::Vec3d::all(factor());
    if (o.per_channel) all[1] = factor(), all[2] = factor();
    return all;
  };
  const cv::Vec3d constant = o.elementwise ? cv::Vec3d() : factors();
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
    return p.mul(o.elementwise ? factors() : constant);
  });
}

// Row 45. Draws: amount, share of salt, then one value per pixel.
struct SaltAndPepper {
  std::vector<double> amount{0.01, 0.06}, salt{0.4, 0.6};
};
Settings settings(SaltAndPepper& o) {
  return Settings{"SaltAndPepper",
                  {
                      setting("amount", o.amount, "share of the pixels that change").range(0, 1),
                      setting("salt_vs_pepper", o.salt,
                              "share of the changed pixels that become 255; the others become 0")
                          .range(0, 1),
                  }};
}
void apply(const SaltAndPepper& o, Sample& sample, Random& random, Context) {
  const double amount = between(o.amount, random), salt = amount * between(o.salt, random);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
    const double u = uniform_share(random);
    return u >= amount ? p : cv::Vec3d::all(u < salt ? 255 : 0);
  });
}

// Row 46. Draws: one value per pixel, or per element.
struct PixelDropout {
  double dropout_prob = 0.01;
  bool per_channel = false;
  int drop_value = 0;
};
Settings settings(PixelDropout& o) {
  return Settings{
      "PixelDropout",
      {
          setting("dropout_prob", o.dropout_prob, "probability that a pixel is dropped")
              .range(0, 1),
          setting("per_channel", o.per_channel, "each channel of a pixel is dropped independently"),
          setting("drop_value", o.drop_value, "value that dropped pixels get").range(0, 255),
      }};
}
void apply(const PixelDropout& o, Sample& sample, Random& random, Context) {
  if (o.per_channel) {
    map_elements(sample.picture,
                 [&](int v) { return uniform_share(random) < o.dropout_prob ? o.drop_value : v; });
  } else {
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
      return uniform_share(random) < o.dropout_prob ? cv::Vec3d::all(o.drop_value) : p;
    });
  }
}

// Row 47. Draws: one value per element. The noise at value x has the variance k · x · 255.
struct CameraGain {
  double variance_multiplier = 0.01;
};
Settings settings(CameraGain& o) {
  return Settings{
      "CameraGain",
      {setting("variance_multiplier", o.variance_multiplier, "k: the variance is k · value · 255")
           .range(0, 10)}};
}
void apply(const CameraGain& o, Sample& sample, Random& random, Context) {
  std::array<float, 256> deviation{};
  for (std::size_t v = 0; v < 256; ++v)
    deviation[v] =
        static_cast<float>(std::sqrt(o.variance_multiplier * static_cast<double>(v) * 255));
  FastNormal normal(random);
  map_elements(sample.picture,
               [&](std::uint8_t v) { return static_cast<float>(v) + deviation[v] * normal(); });
}

// Row 48.
struct ImageCompression {
  std::vector<int> quality_range{99, 100};
  std::string compression_type = "jpeg";
};
Settings settings(ImageCompression& o) {
  return Settings{
      "ImageCompression",
      {
          setting("quality_range", o.quality_range, "quality of the encoder").range(1, 100),
          setting("compression_type", o.compression_type, "encoder").choices({"jpeg", "webp"}),
      }};
}
void apply(const ImageCompression& o, Sample& sample, Random& random, Context) {
  const std::string bytes =
      encode_picture(o.compression_type, sample.picture, whole_between(o.quality_range, random));
  sample.picture = decode_picture(bytes, "ImageCompression");
}

// Row 49.
struct Downscale {
  std::vector<double> scale_range{0.25};
  std::string interpolation = "nearest";
};
Settings settings(Downscale& o) {
  return Settings{
      "Downscale",
      {
          setting("scale_range", o.scale_range,
                  "width and height of the smaller image, divided by those of the image")
              .range(0.01, 1),
          setting("interpolation", o.interpolation, "for both changes of size")
              .choices({"nearest", "linear"}),
      }};
}
void apply(const Downscale& o, Sample& sample, Random& random, Context) {
  const double scale = between(o.scale_range, random);
  const int how = o.interpolation == "nearest" ? cv::INTER_NEAREST_EXACT : cv::INTER_LINEAR;
  const auto side = [&](int s) {
    return std::max(1, static_cast<int>(std::floor(s * scale + 0.5)));
  };
  const cv::Size size = sample.picture.size();
  cv::Mat small, out;
  cv::resize(sample.picture, small, {side(size.width), side(size.height)}, 0, 0, how);
  cv::resize(small, out, size, 0, 0, how);
  sample.picture = out;
}

}  // namespace

float FastNormal::operator()() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const float u = (static_cast<float>(random_.next()) + 1) * 0x1p-32F,
              angle = static_cast<float>(2 * CV_PI * 0x1p-32) * static_cast<float>(random_.next());
  const float radius = std::sqrt(-2 * std::log(std::min(u, 1.0F)));
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

std::uint32_t poisson(double mean, Random& random, FastNormal& normal) {
  if (mean >= 30)
    return static_cast<std::uint32_t>(
        std::max(0.0, std::floor(mean + std::sqrt(mean) * normal() + 0.5)));
  const double u = uniform_share(random);
  double term = std::exp(-mean), sum = term;
  std::uint32_t count = 0;
  constexpr std::uint32_t furthest = 200;  // far beyond what 32 bits of u can reach
  while (u >= sum && count < furthest) sum += term *= mean / ++count;
  return count;
}

std::vector<TransformEntry> noise_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  return {entry<GaussNoise>("GaussNoise", none, stage, 0.5, "Gaussian noise"),
          entry<ISONoise>("ISONoise", none, stage, 0.5,
                          "Noise of brightness and hue, like that of a camera at high ISO"),
          entry<ShotNoise>("ShotNoise", none, stage, 0.5, "Noise of a sensor that counts photons"),
          entry<MultiplicativeNoise>("MultiplicativeNoise", none, stage, 0.5,
                                     "Values are multiplied by a random factor"),
          entry<SaltAndPepper>("SaltAndPepper", none, stage, 0.5,
                               "Some pixels become white or black", {"Noise"}),
          entry<PixelDropout>("PixelDropout", none, stage, 0.5, "Some pixels get one fixed value"),
          entry<CameraGain>("CameraGain", none, stage, 0.5,
                            "Gaussian noise that grows with the signal"),
          entry<ImageCompression>("ImageCompression", none, stage, 0.5,
                                  "Losses of JPEG or WebP compression"),
          entry<Downscale>("Downscale", none, stage, 0.5,
                           "The image is made smaller, then enlarged again")};
}

}  // namespace yolov7::dataset
