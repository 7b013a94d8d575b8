#include "dataset/augment/transforms/colour.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "dataset/augment/hsv.hpp"
#include "dataset/augment/transforms/pixel_map.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;
constexpr auto same = [](int v) { return v; };

// Row 1, data 12.5. Draws: contrast, brightness.
struct RandomBrightnessContrast {
  std::vector<double> brightness_limit{0.2}, contrast_limit{0.2};
  bool brightness_by_max = true;
};
Settings settings(RandomBrightnessContrast& o) {
  return Settings{
      "RandomBrightnessContrast",
      {
          setting("brightness_limit", o.brightness_limit,
                  "± addition, share of 255 (or of the mean)")
              .range(-1, 1),
          setting("contrast_limit", o.contrast_limit, "± change of the factor 1").range(-1, 10),
          setting("brightness_by_max", o.brightness_by_max,
                  "additions are shares of 255; off: of the image's mean"),
      }};
}
void apply(const RandomBrightnessContrast& o, Sample& sample, Random& random, Context) {
  const double factor = 1 + around(o.contrast_limit, random),
               share = around(o.brightness_limit, random);
  const cv::Scalar mean = o.brightness_by_max ? cv::Scalar::all(255) : cv::mean(sample.picture);
  const double addition = share * (mean[0] + mean[1] + mean[2]) / 3;
  map_values(sample.picture, [&](int v) { return factor * v + addition; });
}

/// A drawn change, without its negative or positive part where that is switched off.
double change(const std::vector<double>& limit, bool down, bool up, Random& random) {
  double low = limit.size() == 1 ? -limit[0] : limit[0], high = limit.back();
  if (!down) low = std::max(0.0, low), high = std::max(0.0, high);
  if (!up) low = std::min(0.0, low), high = std::min(0.0, high);
  return random.uniform(low, high);
}

// Row 2.
struct Brightness {
  std::vector<double> limit{0.15};
  bool darken = true, brighten = true;
};
Settings settings(Brightness& o) {
  return Settings{"Brightness",
                  {
                      setting("limit", o.limit, "± change of the factor 1").range(-1, 10),
                      setting("darken", o.darken, "negative changes"),
                      setting("brighten", o.brighten, "positive changes"),
                  }};
}
void apply(const Brightness& o, Sample& sample, Random& random, Context) {
  const double factor = 1 + change(o.limit, o.darken, o.brighten, random);
  map_values(sample.picture, [&](int v) { return v * factor; });
}

// Row 3.
struct Exposure {
  std::vector<double> limit{0.10};
};
Settings settings(Exposure& o) {
  return Settings{
      "Exposure",
      {setting("limit", o.limit, "± u: gamma 1 / (1 + u), below 0: 1 - u").range(-10, 10)}};
}
void apply(const Exposure& o, Sample& sample, Random& random, Context) {
  const double u = around(o.limit, random), gamma = u >= 0 ? 1 / (1 + u) : 1 - u;
  map_values(sample.picture, [&](int v) { return 255 * std::pow(v / 255.0, gamma); });
}

// Row 4.
struct RandomGamma {
  std::vector<double> gamma_limit{80, 120};
};
Settings settings(RandomGamma& o) {
  return Settings{"RandomGamma",
                  {setting("gamma_limit", o.gamma_limit, "exponent in per cent").range(1, 1000)}};
}
void apply(const RandomGamma& o, Sample& sample, Random& random, Context) {
  const double gamma = between(o.gamma_limit, random) / 100;
  map_values(sample.picture, [&](int v) { return 255 * std::pow(v / 255.0, gamma); });
}

// Row 5. Draws: hue, saturation, value.
struct HueSaturationValue {
  std::vector<double> hue_shift{20}, sat_shift{30}, val_shift{20};
};
Settings settings(HueSaturationValue& o) {
  return Settings{"HueSaturationValue",
                  {
                      setting("hue_shift", o.hue_shift, "± addition to the hue, 180 a turn")
                          .range(-180, 180)
                          .alias("hue_shift_limit"),
                      setting("sat_shift", o.sat_shift, "± addition to the saturation, of 255")
                          .range(-255, 255)
                          .alias("sat_shift_limit"),
                      setting("val_shift", o.val_shift, "± addition to the value, of 255")
                          .range(-255, 255)
                          .alias("val_shift_limit"),
                  }};
}
void apply(const HueSaturationValue& o, Sample& sample, Random& random, Context) {
  const double hue = around(o.hue_shift, random), saturation = around(o.sat_shift, random),
               value = around(o.val_shift, random);
  map_hsv(
      sample.picture, hue, [&](int v) { return v + saturation; }, [&](int v) { return v + value; });
}

// Row 6.
struct Hue {
  std::vector<double> limit{15};
};
Settings settings(Hue& o) {
  return Settings{"Hue",
                  {setting("limit", o.limit, "± rotation of the hue, degrees").range(-180, 180)}};
}
void apply(const Hue& o, Sample& sample, Random& random, Context) {
  map_hsv(sample.picture, around(o.limit, random) / 2, same, same);
}

// Row 7.
struct Saturation {
  std::vector<double> limit{0.25};
};
Settings settings(Saturation& o) {
  return Settings{"Saturation",
                  {setting("limit", o.limit, "± change of the factor 1").range(-1, 10)}};
}
void apply(const Saturation& o, Sample& sample, Random& random, Context) {
  const double factor = 1 + around(o.limit, random);
  map_hsv(
      sample.picture, 0, [&](int v) { return v * factor; }, same);
}

// Row 8, data 8.6.
struct YoloHSV {
  double hsv_h = 0.015, hsv_s = 0.7, hsv_v = 0.4;
};
Settings settings(YoloHSV& o) {
  return Settings{
      "YoloHSV",
      {
          setting("hsv_h", o.hsv_h, "± change of the hue's factor 1").range(0, 1),
          setting("hsv_s", o.hsv_s, "± change of the saturation's factor 1").range(0, 1),
          setting("hsv_v", o.hsv_v, "± change of the value's factor 1").range(0, 1),
      }};
}
void apply(const YoloHSV& o, Sample& sample, Random& random, Context) {
  const double h = random.uniform(-1, 1), s = random.uniform(-1, 1), v = random.uniform(-1, 1);
  apply_hsv(sample.picture, {1 + h * o.hsv_h, 1 + s * o.hsv_s, 1 + v * o.hsv_v});
}

// Row 9. Draws: brightness, contrast, saturation, hue, order.
struct ColorJitter {
  std::vector<double> brightness{0.8, 1.2}, contrast{0.8, 1.2}, saturation{0.8, 1.2},
      hue{-0.5, 0.5};
};
Settings settings(ColorJitter& o) {
  return Settings{
      "ColorJitter",
      {
          setting("brightness", o.brightness, "factor, from black").range(0, 10),
          setting("contrast", o.contrast, "factor, from the mean grey").range(0, 10),
          setting("saturation", o.saturation, "factor, from each pixel's grey").range(0, 10),
          setting("hue", o.hue, "rotation in turns").range(-0.5, 0.5),
      }};
}
double mean_luma(const cv::Mat& bgr) {
  const cv::Scalar mean = cv::mean(bgr);
  return luma({mean[0], mean[1], mean[2]});
}
void apply(const ColorJitter& o, Sample& sample, Random& random, Context) {
  const double brightness = between(o.brightness, random), contrast = between(o.contrast, random),
               saturation = between(o.saturation, random), hue = between(o.hue, random);
  cv::Mat& picture = sample.picture;
  for (const std::size_t step : random.permutation(4)) {
    if (step == 0) map_values(picture, [&](int v) { return v * brightness; });
    if (step == 1)
      map_values(picture,
                 [&, mean = mean_luma(picture)](int v) { return mean + contrast * (v - mean); });
    if (step == 2)
      map_pixels(picture, [&](const cv::Vec3d& p, int, int) {
        const cv::Vec3d grey = cv::Vec3d::all(luma(p));
        return grey + saturation * (p - grey);
      });
    if (step == 3) map_hsv(picture, 180 * hue, same, same);
  }
}

// Row 10. Draws: r, g, b.
struct RGBShift {
  std::vector<double> r{20}, g{20}, b{20};
};
Settings settings(RGBShift& o) {
  return Settings{"RGBShift",
                  {
                      setting("r_shift_limit", o.r, "± addition to red").range(-255, 255),
                      setting("g_shift_limit", o.g, "± addition to green").range(-255, 255),
                      setting("b_shift_limit", o.b, "± addition to blue").range(-255, 255),
                  }};
}
void apply(const RGBShift& o, Sample& sample, Random& random, Context) {
  const double r = around(o.r, random), g = around(o.g, random), b = around(o.b, random);
  const std::array<double, 3> shift{b, g, r};
  map_channels(sample.picture,
               [&](int c, int v) { return v + shift[static_cast<std::size_t>(c)]; });
}

// Row 11.
struct ChannelShuffle {};
Settings settings(ChannelShuffle&) { return {"ChannelShuffle", {}}; }
void apply(const ChannelShuffle&, Sample& sample, Random& random, Context) {
  const auto order = random.permutation(3);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
    return cv::Vec3d(p[static_cast<int>(order[0])], p[static_cast<int>(order[1])],
                     p[static_cast<int>(order[2])]);
  });
}

// Row 12. Draws: number, which.
struct ChannelDropout {
  std::vector<int> channel_drop_range{1, 1};
  int fill = 0;
};
Settings settings(ChannelDropout& o) {
  return Settings{"ChannelDropout",
                  {
                      setting("channel_drop_range", o.channel_drop_range,
                              "number of channels; one at least is left")
                          .range(1, 2),
                      setting("fill", o.fill, "value of what is dropped").range(0, 255),
                  }};
}
void apply(const ChannelDropout& o, Sample& sample, Random& random, Context) {
  const int count = whole_between(o.channel_drop_range, random);
  const auto order = random.permutation(3);
  const auto dropped = [&](int c) {
    return std::find(order.begin(), order.begin() + count, static_cast<std::size_t>(c)) !=
           order.begin() + count;
  };
  map_channels(sample.picture, [&](int c, int v) { return dropped(c) ? o.fill : v; });
}

// Row 13.
struct ToGray {
  std::string method = "weighted_average";
};
Settings settings(ToGray& o) {
  return Settings{"ToGray",
                  {setting("method", o.method,
                           "0.299 R + 0.587 G + 0.114 B, the mean, the largest, or the mean of "
                           "largest and smallest")
                       .choices({"weighted_average", "average", "max", "desaturation"})}};
}
void apply(const ToGray& o, Sample& sample, Random&, Context) {
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int, int) {
    const auto [low, high] = std::minmax({p[0], p[1], p[2]});
    return cv::Vec3d::all(o.method == "weighted_average" ? luma(p)
                          : o.method == "average"        ? (p[0] + p[1] + p[2]) / 3
                          : o.method == "max"            ? high
                                                         : (low + high) / 2);
  });
}

// Row 14.
struct ToSepia {};
Settings settings(ToSepia&) { return {"ToSepia", {}}; }
void apply(const ToSepia&, Sample& sample, Random&, Context) {
  map_pixels(sample.picture, [](const cv::Vec3d& p, int, int) {
    const double b = p[0], g = p[1], r = p[2];
    return cv::Vec3d(0.272 * r + 0.534 * g + 0.131 * b, 0.349 * r + 0.686 * g + 0.168 * b,
                     0.393 * r + 0.769 * g + 0.189 * b);
  });
}

// Row 15.
struct InvertImg {};
Settings settings(InvertImg&) { return {"InvertImg", {}}; }
void apply(const InvertImg&, Sample& sample, Random&, Context) {
  map_values(sample.picture, [](int v) { return 255 - v; });
}

}  // namespace

std::vector<TransformEntry> colour_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  std::vector<TransformEntry> all{
      entry<RandomBrightnessContrast>("RandomBrightnessContrast", none, stage, 0.5,
                                      "Factor and addition, the same for all pixels"),
      entry<Brightness>("Brightness", none, stage, 0.5, "All values by a factor"),
      entry<Exposure>("Exposure", none, stage, 0.5,
                      "Gamma curve, as strong to the bright side as to the dark"),
      entry<RandomGamma>("RandomGamma", none, stage, 0.5, "Gamma curve"),
      entry<HueSaturationValue>("HueSaturationValue", none, stage, 0.5,
                                "Additions to hue, saturation and value"),
      entry<Hue>("Hue", none, stage, 0.5, "Rotation of the hue"),
      entry<Saturation>("Saturation", none, stage, 0.5, "Saturation by a factor"),
      entry<YoloHSV>("YoloHSV", none, stage, 0.5,
                     "Factors of hue, saturation and value, as in the standard pipeline"),
      entry<ColorJitter>("ColorJitter", none, stage, 0.5,
                         "Brightness, contrast, saturation and hue in random order"),
      entry<RGBShift>("RGBShift", none, stage, 0.5, "An addition to each channel"),
      entry<ChannelShuffle>("ChannelShuffle", none, stage, 0.5, "Channels in random order"),
      entry<ChannelDropout>("ChannelDropout", none, stage, 0.5, "Some channels become constant"),
      entry<ToGray>("ToGray", none, stage, 0.5, "Grey in all channels", {"Grayscale", "Greyscale"}),
      entry<ToSepia>("ToSepia", none, stage, 0.5, "Brown tones"),
      entry<InvertImg>("InvertImg", none, stage, 0.5, "Negative", {"Invert"})};
  for (auto* group : {&level_transforms, &tone_transforms})
    for (TransformEntry& one : group()) all.push_back(std::move(one));
  return all;
}

}  // namespace yolov7::dataset
