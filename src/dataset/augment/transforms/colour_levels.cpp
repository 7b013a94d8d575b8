#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/augment/transforms/auto_augment_operations.hpp"
#include "dataset/augment/transforms/colour.hpp"
#include "dataset/augment/transforms/colour_statistics.hpp"
#include "dataset/augment/transforms/pixel_map.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

// Row 16.
struct Solarize {
  std::vector<double> threshold_range{0.5, 0.5};
};
Settings settings(Solarize& o) {
  return Settings{"Solarize",
                  {setting("threshold_range", o.threshold_range,
                           "values from this share of 255 on are inverted")
                       .range(0, 1)}};
}
void apply(const Solarize& o, Sample& sample, Random& random, Context) {
  solarize(sample.picture, static_cast<int>(std::ceil(255 * between(o.threshold_range, random))));
}

// Row 17.
struct Posterize {
  std::vector<int> num_bits{4};
};
Settings settings(Posterize& o) {
  return Settings{"Posterize",
                  {setting("num_bits", o.num_bits, "upper bits that stay").range(1, 8)}};
}
void apply(const Posterize& o, Sample& sample, Random& random, Context) {
  posterize(sample.picture, whole_between(o.num_bits, random));
}

/// Y of YCrCb alone goes through `change`, which takes a picture of three channels.
template <class F>
void change_luma(cv::Mat& bgr, F f) {
  cv::Mat converted;
  cv::cvtColor(bgr, converted, cv::COLOR_BGR2YCrCb);
  std::array<cv::Mat, 3> planes;
  cv::split(converted, planes.data());
  const std::array<cv::Mat, 3> copies{planes[0], planes[0], planes[0]};
  cv::Mat grey;
  cv::merge(copies.data(), 3, grey);
  f(grey);
  cv::extractChannel(grey, planes[0], 0);
  cv::merge(planes.data(), 3, converted);
  cv::cvtColor(converted, bgr, cv::COLOR_YCrCb2BGR);
}

// Row 18; the table of data 12.6.
struct Equalize {
  bool by_channels = true;
};
Settings settings(Equalize& o) {
  return Settings{"Equalize",
                  {setting("by_channels", o.by_channels, "each channel; off: the luma alone")}};
}
void apply(const Equalize& o, Sample& sample, Random&, Context) {
  o.by_channels ? equalize(sample.picture)
                : change_luma(sample.picture, [](cv::Mat& grey) { equalize(grey); });
}

/// Per channel: the values below which `low` per cent of the pixels lie, and above which 100 −
/// `high` do, become 0 and 255.
void stretch(cv::Mat& bgr, double low, double high) {
  const auto counts = colour_histograms(bgr);
  const auto pixels = static_cast<double>(bgr.total());
  std::array<int, 3> first{}, last{};
  for (std::size_t c = 0; c < 3; ++c) {
    double below = 0, above = 0;
    for (first[c] = 0; first[c] < 255; ++first[c])
      if ((below += counts[c][static_cast<std::size_t>(first[c])]) > low / 100 * pixels) break;
    for (last[c] = 255; last[c] > 0; --last[c])
      if ((above += counts[c][static_cast<std::size_t>(last[c])]) > (100 - high) / 100 * pixels)
        break;
  }
  map_channels(bgr, [&](int channel, int v) {
    const auto c = static_cast<std::size_t>(channel);
    return last[c] > first[c] ? (v - first[c]) * 255.0 / (last[c] - first[c]) : v;
  });
}

// Row 19.
struct AutoContrast {
  double cutoff = 0;
};
Settings settings(AutoContrast& o) {
  return Settings{
      "AutoContrast",
      {setting("cutoff", o.cutoff, "per cent of the pixels that are passed over at each end")
           .range(0, 49)}};
}
void apply(const AutoContrast& o, Sample& sample, Random&, Context) {
  stretch(sample.picture, o.cutoff, 100 - o.cutoff);
}

// Row 27.
struct ContrastStretch {
  std::vector<double> percentiles{2, 98};
};
Settings settings(ContrastStretch& o) {
  return Settings{"ContrastStretch",
                  {setting("percentiles", o.percentiles,
                           "per cent of the pixels below what becomes 0, and below what becomes "
                           "255; one value p: p and 100 - p")
                       .range(0, 100)}};
}
void apply(const ContrastStretch& o, Sample& sample, Random&, Context) {
  stretch(sample.picture, o.percentiles.front(),
          o.percentiles.size() == 1 ? 100 - o.percentiles[0] : o.percentiles[1]);
}

}  // namespace

std::vector<TransformEntry> level_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  return {entry<Solarize>("Solarize", none, stage, 0.5, "Bright values are inverted"),
          entry<Posterize>("Posterize", none, stage, 0.5, "Fewer levels"),
          entry<Equalize>("Equalize", none, stage, 0.5, "Histogram equalisation"),
          entry<AutoContrast>("AutoContrast", none, stage, 0.5,
                              "Smallest and largest value of each channel become 0 and 255"),
          entry<ContrastStretch>("ContrastStretch", none, stage, 0.5,
                                 "Two percentiles of each channel become 0 and 255")};
}

}  // namespace yolov7::dataset
