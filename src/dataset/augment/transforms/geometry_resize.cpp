#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/geometry.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

constexpr int largest_side = 16'384;

int rounded(double v) { return std::max(1, static_cast<int>(std::floor(v + 0.5))); }
cv::Size scaled(cv::Size size, double factor) {
  return {rounded(size.width * factor), rounded(size.height * factor)};
}

// Row 72.
struct RandomScale {
  std::vector<double> scale_limit{0.1};
};
Settings settings(RandomScale& o) {
  return Settings{
      "RandomScale",
      {setting("scale_limit", o.scale_limit, "± change of the factor 1").range(-0.99, 10)}};
}
void apply(const RandomScale& o, Sample& sample, Random& random, Context context) {
  resize_sample(sample, scaled(sample.picture.size(), 1 + around(o.scale_limit, random)),
                context.filter);
}

Setting side_setting(const char* name, int& side) {
  return setting(name, side, "pixels").range(1, largest_side);
}

// Row 73.
struct Resize {
  int height = 640, width = 640;
  std::string mode = "stretch", padding = "grey";
};
Settings settings(Resize& o) {
  return Settings{
      "Resize",
      {
          side_setting("height", o.height),
          side_setting("width", o.width),
          setting(
              "mode", o.mode,
              "stretch both sides; fit inside and pad; or fill and cut the rest off at both ends")
              .choices({"stretch", "fit", "fill"}),
          setting("padding", o.padding, "what fit adds")
              .choices({"grey", "black", "white", "reflect"}),
      }};
}
void apply(const Resize& o, Sample& sample, Random&, Context context) {
  const cv::Size size(o.width, o.height), before = sample.picture.size();
  const double x = static_cast<double>(size.width) / before.width,
               y = static_cast<double>(size.height) / before.height;
  if (o.mode == "stretch") return resize_sample(sample, size, context.filter);
  const cv::Size inner = scaled(before, o.mode == "fit" ? std::min(x, y) : std::max(x, y));
  resize_sample(sample, inner, context.filter);
  const int left = (size.width - inner.width) / 2, top = (size.height - inner.height) / 2;
  if (o.mode == "fill")
    return crop_sample(
        sample, {cv::Point((inner.width - size.width) / 2, (inner.height - size.height) / 2), size},
        context.filter);
  const cv::Mat content = sample.picture;
  crop_sample(sample, {cv::Point(-left, -top), size}, context.filter,
              o.padding == "black"   ? 0
              : o.padding == "white" ? 255
                                     : geometry_grey);
  if (o.padding == "reflect")
    cv::copyMakeBorder(content, sample.picture, top, size.height - inner.height - top, left,
                       size.width - inner.width - left,
                       cv::BORDER_REFLECT_101 | cv::BORDER_ISOLATED);
}

// Row 74.
struct LongestMaxSize {
  int max_size = 640;
};
Settings settings(LongestMaxSize& o) {
  return Settings{"LongestMaxSize",
                  {setting("max_size", o.max_size, "longer side, pixels").range(1, largest_side)}};
}
void apply(const LongestMaxSize& o, Sample& sample, Random&, Context context) {
  resize_sample(
      sample,
      scaled(sample.picture.size(),
             static_cast<double>(o.max_size) / std::max(sample.picture.cols, sample.picture.rows)),
      context.filter);
}
struct SmallestMaxSize {
  int max_size = 640;
};
Settings settings(SmallestMaxSize& o) {
  return Settings{
      "SmallestMaxSize",
      {setting("max_size", o.max_size, "shorter side, pixels; a longer side above 16384 limits it")
           .range(1, largest_side)}};
}
void apply(const SmallestMaxSize& o, Sample& sample, Random&, Context context) {
  const double longer = std::max(sample.picture.cols, sample.picture.rows),
               shorter = std::min(sample.picture.cols, sample.picture.rows);
  resize_sample(
      sample, scaled(sample.picture.size(), std::min(o.max_size / shorter, largest_side / longer)),
      context.filter);
}

// Row 75, data 7.2.
struct LetterBox {
  int height = 640, width = 640;
};
Settings settings(LetterBox& o) {
  return Settings{"LetterBox", {side_setting("height", o.height), side_setting("width", o.width)}};
}
void apply(const LetterBox& o, Sample& sample, Random&, Context context) {
  letterbox_sample(sample, {o.width, o.height}, context.filter);
}

// Row 76. Draws where the position is random: x, y.
struct PadIfNeeded {
  int min_height = 640, min_width = 640, pad_height_divisor = 0, pad_width_divisor = 0,
      fill = geometry_grey;
  std::string position = "center";
};
Settings settings(PadIfNeeded& o) {
  return Settings{"PadIfNeeded",
                  {
                      side_setting("min_height", o.min_height),
                      side_setting("min_width", o.min_width),
                      setting("pad_height_divisor", o.pad_height_divisor,
                              "the height becomes a multiple of this; 0 = any")
                          .range(0, largest_side),
                      setting("pad_width_divisor", o.pad_width_divisor,
                              "the width becomes a multiple of this; 0 = any")
                          .range(0, largest_side),
                      setting("position", o.position, "where the image lies in the result")
                          .choices({"center", "top_left", "top_right", "bottom_left",
                                    "bottom_right", "random"}),
                      setting("fill", o.fill, "grey level around it").range(0, 255),
                  }};
}
void apply(const PadIfNeeded& o, Sample& sample, Random& random, Context context) {
  const auto side = [](int has, int least, int divisor) {
    const int wanted = std::max(has, least);
    return divisor > 0 ? (wanted + divisor - 1) / divisor * divisor : wanted;
  };
  const cv::Size size(side(sample.picture.cols, o.min_width, o.pad_width_divisor),
                      side(sample.picture.rows, o.min_height, o.pad_height_divisor));
  const int x = size.width - sample.picture.cols, y = size.height - sample.picture.rows;
  const int random_x = static_cast<int>(random.integer(0, x)),
            random_y = static_cast<int>(random.integer(0, y));
  const bool right = o.position == "top_left" || o.position == "bottom_left",
             below =
                 o.position == "top_left" || o.position == "top_right";  // where the padding goes
  const cv::Point corner = o.position == "center"   ? cv::Point(x / 2, y / 2)
                           : o.position == "random" ? cv::Point(random_x, random_y)
                                                    : cv::Point(right ? 0 : x, below ? 0 : y);
  crop_sample(sample, {-corner, size}, context.filter, o.fill);
}

}  // namespace

std::vector<TransformEntry> resize_transforms() {
  constexpr auto crop = BoxRule::crop;
  constexpr auto stage = Stage::geometry;
  return {
      entry<RandomScale>("RandomScale", crop, stage, 1, "Resized by a random factor"),
      entry<Resize>("Resize", crop, stage, 1, "Resized to a size"),
      entry<LongestMaxSize>("LongestMaxSize", crop, stage, 1, "The longer side gets this length"),
      entry<SmallestMaxSize>("SmallestMaxSize", crop, stage, 1,
                             "The shorter side gets this length"),
      entry<LetterBox>("LetterBox", crop, stage, 1,
                       "Resized to fit, grey around it, as for the network"),
      entry<PadIfNeeded>("PadIfNeeded", crop, stage, 1, "Padded up to a size, or to multiples")};
}

}  // namespace yolov7::dataset
