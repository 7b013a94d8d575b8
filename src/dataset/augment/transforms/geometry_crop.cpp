#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/geometry.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

constexpr int largest_side = 16'384;

int drawn(Random& random, int low, int high) { return static_cast<int>(random.integer(low, high)); }
int share_of(double share, int side) {
  return std::clamp(static_cast<int>(std::floor(share * side + 0.5)), 1, side);
}
Setting side_setting(const char* name, int& side) {
  return setting(name, side, "pixels; no more than the image has").range(1, largest_side);
}
Setting output_setting(const char* name, int& side) {
  return setting(name, side, "the cut is resized to this, pixels; 0 = what the image had")
      .range(0, largest_side);
}

/// No larger than the picture.
cv::Size within(cv::Size size, const cv::Mat& picture) {
  return {std::clamp(size.width, 1, picture.cols), std::clamp(size.height, 1, picture.rows)};
}

/// A rectangle of that size anywhere in the picture. Draws: x, y.
cv::Rect anywhere(cv::Size size, const cv::Mat& picture, Random& random) {
  const int x = drawn(random, 0, picture.cols - size.width),
            y = drawn(random, 0, picture.rows - size.height);
  return {cv::Point(x, y), size};
}

void crop_and_resize(Sample& sample, const cv::Rect& region, cv::Size output,
                     const BoxFilter& filter) {
  const cv::Size before = sample.picture.size();
  crop_sample(sample, region, filter);
  resize_sample(sample,
                {output.width > 0 ? output.width : before.width,
                 output.height > 0 ? output.height : before.height},
                filter);
}

// Row 77. Draws: x, y.
struct RandomCrop {
  int height = 320, width = 320;
};
Settings settings(RandomCrop& o) {
  return Settings{"RandomCrop", {side_setting("height", o.height), side_setting("width", o.width)}};
}
void apply(const RandomCrop& o, Sample& sample, Random& random, Context context) {
  crop_sample(sample, anywhere(within({o.width, o.height}, sample.picture), sample.picture, random),
              context.filter);
}

// Row 78.
struct CenterCrop {
  int height = 320, width = 320;
};
Settings settings(CenterCrop& o) {
  return Settings{"CenterCrop", {side_setting("height", o.height), side_setting("width", o.width)}};
}
void apply(const CenterCrop& o, Sample& sample, Random&, Context context) {
  const cv::Size size = within({o.width, o.height}, sample.picture);
  crop_sample(
      sample,
      {cv::Point((sample.picture.cols - size.width) / 2, (sample.picture.rows - size.height) / 2),
       size},
      context.filter);
}

// Row 79. Draws for up to ten tries: share of the area, log of the ratio; then x, y. After ten
// tries that do not fit: the largest central part of an allowed ratio.
struct RandomResizedCrop {
  std::vector<double> scale{0.08, 1}, ratio{0.75, 4.0 / 3};
  int height = 0, width = 0;
};
Settings settings(RandomResizedCrop& o) {
  return Settings{"RandomResizedCrop",
                  {
                      setting("scale", o.scale, "share of the image's area").range(0.0001, 1),
                      setting("ratio", o.ratio, "width / height").range(0.01, 100),
                      output_setting("height", o.height),
                      output_setting("width", o.width),
                  }};
}
void apply(const RandomResizedCrop& o, Sample& sample, Random& random, Context context) {
  const int w = sample.picture.cols, h = sample.picture.rows;
  const cv::Size output(o.width, o.height);
  for (int tries = 0; tries < 10; ++tries) {
    const double area = between(o.scale, random) * w * h,
                 ratio =
                     std::exp(random.uniform(std::log(o.ratio.front()), std::log(o.ratio.back())));
    const cv::Size size(static_cast<int>(std::floor(std::sqrt(area * ratio) + 0.5)),
                        static_cast<int>(std::floor(std::sqrt(area / ratio) + 0.5)));
    if (size.width >= 1 && size.height >= 1 && size.width <= w && size.height <= h)
      return crop_and_resize(sample, anywhere(size, sample.picture, random), output,
                             context.filter);
  }
  const double ratio = std::clamp(static_cast<double>(w) / h, o.ratio.front(), o.ratio.back());
  const cv::Size size = within({static_cast<int>(std::min<double>(w, h * ratio)),
                                static_cast<int>(std::min<double>(h, w / ratio))},
                               sample.picture);
  crop_and_resize(sample, {cv::Point((w - size.width) / 2, (h - size.height) / 2), size}, output,
                  context.filter);
}

// Row 80. Draws: height, x, y.
struct RandomSizedCrop {
  std::vector<int> min_max_height{160, 320};
  double w2h_ratio = 1;
  int height = 0, width = 0;
};
Settings settings(RandomSizedCrop& o) {
  return Settings{
      "RandomSizedCrop",
      {
          setting("min_max_height", o.min_max_height,
                  "height of the cut, pixels; no more than the image has")
              .range(1, largest_side),
          setting("w2h_ratio", o.w2h_ratio, "width / height of the cut").range(0.01, 100),
          output_setting("height", o.height),
          output_setting("width", o.width),
      }};
}
void apply(const RandomSizedCrop& o, Sample& sample, Random& random, Context context) {
  const int height = whole_between(o.min_max_height, random);
  const cv::Size size =
      within({static_cast<int>(height * o.w2h_ratio + 0.5), height}, sample.picture);
  crop_and_resize(sample, anywhere(size, sample.picture, random), {o.width, o.height},
                  context.filter);
}

/// A rectangle that holds all boxes, each made smaller by `erosion` of its sides; without objects
/// any rectangle. Draws: left, top, right, bottom.
cv::Rect holding_all(const Sample& sample, double erosion, Random& random) {
  const int w = sample.picture.cols, h = sample.picture.rows;
  Xyxy all{static_cast<double>(w), static_cast<double>(h), 0, 0};
  for (const Object& object : sample.objects) {
    const Xyxy& b = object.box;
    const double dx = b.width() * erosion / 2, dy = b.height() * erosion / 2;
    all = {std::min(all.x1, b.x1 + dx), std::min(all.y1, b.y1 + dy), std::max(all.x2, b.x2 - dx),
           std::max(all.y2, b.y2 - dy)};
  }
  if (sample.objects.empty()) {
    const double x = random.uniform(0, w), y = random.uniform(0, h);
    all = {x, y, x, y};
  }
  const int left = drawn(random, 0, std::clamp(static_cast<int>(std::floor(all.x1)), 0, w - 1)),
            top = drawn(random, 0, std::clamp(static_cast<int>(std::floor(all.y1)), 0, h - 1));
  const int right = drawn(random, std::clamp(static_cast<int>(std::ceil(all.x2)), left + 1, w), w),
            bottom = drawn(random, std::clamp(static_cast<int>(std::ceil(all.y2)), top + 1, h), h);
  return {cv::Point(left, top), cv::Point(right, bottom)};
}

// Rows 81.
struct BBoxSafeRandomCrop {
  double erosion_rate = 0;
};
Setting erosion_setting(double& rate) {
  return setting("erosion_rate", rate, "boxes count as this share smaller").range(0, 1);
}
Settings settings(BBoxSafeRandomCrop& o) {
  return Settings{"BBoxSafeRandomCrop", {erosion_setting(o.erosion_rate)}};
}
void apply(const BBoxSafeRandomCrop& o, Sample& sample, Random& random, Context context) {
  crop_sample(sample, holding_all(sample, o.erosion_rate, random), context.filter);
}

struct RandomSizedBBoxSafeCrop {
  double erosion_rate = 0;
  int height = 0, width = 0;
};
Settings settings(RandomSizedBBoxSafeCrop& o) {
  return Settings{"RandomSizedBBoxSafeCrop",
                  {erosion_setting(o.erosion_rate), output_setting("height", o.height),
                   output_setting("width", o.width)}};
}
void apply(const RandomSizedBBoxSafeCrop& o, Sample& sample, Random& random, Context context) {
  crop_and_resize(sample, holding_all(sample, o.erosion_rate, random), {o.width, o.height},
                  context.filter);
}

// Row 82. Draws: box, x, y.
struct AtLeastOneBBoxRandomCrop {
  int height = 320, width = 320;
  double erosion_factor = 0;
};
Settings settings(AtLeastOneBBoxRandomCrop& o) {
  return Settings{
      "AtLeastOneBBoxRandomCrop",
      {
          side_setting("height", o.height),
          side_setting("width", o.width),
          setting("erosion_factor", o.erosion_factor, "the chosen box counts as this share smaller")
              .range(0, 0.99),
      }};
}
void apply(const AtLeastOneBBoxRandomCrop& o, Sample& sample, Random& random, Context context) {
  const cv::Size size = within({o.width, o.height}, sample.picture);
  if (sample.objects.empty())
    return crop_sample(sample, anywhere(size, sample.picture, random), context.filter);
  const Xyxy& b = sample
                      .objects[static_cast<std::size_t>(
                          random.integer(0, static_cast<std::int64_t>(sample.objects.size()) - 1))]
                      .box;
  // Places where the cut and the box have a pixel in common.
  const auto place = [&](double low, double high, int side, int all) {
    const double shrink = (high - low) * o.erosion_factor / 2;
    const int first =
                  std::clamp(static_cast<int>(std::floor(low + shrink)) - side + 1, 0, all - side),
              last = std::clamp(static_cast<int>(std::ceil(high - shrink)) - 1, 0, all - side);
    return drawn(random, std::min(first, last), last);
  };
  const int x = place(b.x1, b.x2, size.width, sample.picture.cols),
            y = place(b.y1, b.y2, size.height, sample.picture.rows);
  crop_sample(sample, {cv::Point(x, y), size}, context.filter);
}

// Row 83. Draws: top, right, bottom, left.
struct CropAndPad {
  std::vector<int> px{0, 0};
  std::vector<double> percent{-0.1, 0.1};
  bool keep_size = true;
  int fill = geometry_grey;
};
Settings settings(CropAndPad& o) {
  return Settings{
      "CropAndPad",
      {
          setting("px", o.px,
                  "pixels on each side: below 0 they are cut off, above 0 added; where it is not 0 "
                  "it takes the place of percent")
              .range(-largest_side, largest_side),
          setting("percent", o.percent, "the same as a share of the side").range(-0.49, 10),
          setting("keep_size", o.keep_size, "resized to what the image had"),
          setting("fill", o.fill, "grey level of what is added").range(0, 255),
      }};
}
void apply(const CropAndPad& o, Sample& sample, Random& random, Context context) {
  const cv::Size size = sample.picture.size();
  const bool pixels = o.px.front() != 0 || o.px.back() != 0;
  const auto margin = [&](int side) {
    return pixels ? whole_between(o.px, random)
                  : static_cast<int>(std::floor(between(o.percent, random) * side + 0.5));
  };
  const int top = margin(size.height), right = margin(size.width), bottom = margin(size.height),
            left = margin(size.width);
  const int width = std::max(1, size.width + left + right),
            height = std::max(1, size.height + top + bottom);
  crop_sample(sample, {-left, -top, width, height}, context.filter, o.fill);
  if (o.keep_size) resize_sample(sample, size, context.filter);
}

// Row 84. Draws: left, right, top, bottom.
struct RandomCropFromBorders {
  double left = 0.1, right = 0.1, top = 0.1, bottom = 0.1;
};
Settings settings(RandomCropFromBorders& o) {
  return Settings{
      "RandomCropFromBorders",
      {
          setting("crop_left", o.left, "largest share of the width that goes on the left")
              .range(0, 0.49),
          setting("crop_right", o.right, "on the right").range(0, 0.49),
          setting("crop_top", o.top, "largest share of the height that goes at the top")
              .range(0, 0.49),
          setting("crop_bottom", o.bottom, "at the bottom").range(0, 0.49),
      }};
}
void apply(const RandomCropFromBorders& o, Sample& sample, Random& random, Context context) {
  const int w = sample.picture.cols, h = sample.picture.rows;
  const int left = static_cast<int>(random.uniform(0, o.left) * w),
            right = static_cast<int>(random.uniform(0, o.right) * w);
  const int top = static_cast<int>(random.uniform(0, o.top) * h),
            bottom = static_cast<int>(random.uniform(0, o.bottom) * h);
  crop_sample(sample,
              {cv::Point(left, top),
               cv::Point(std::max(left + 1, w - right), std::max(top + 1, h - bottom))},
              context.filter);
}

// Row 85. Draws: share, x, y.
struct Crop {
  std::vector<double> percent{0, 20};
};
Settings settings(Crop& o) {
  return Settings{"Crop", {setting("percent", o.percent, "of each side that goes").range(0, 99)}};
}
void apply(const Crop& o, Sample& sample, Random& random, Context context) {
  const double kept = 1 - between(o.percent, random) / 100;
  const cv::Size size(share_of(kept, sample.picture.cols), share_of(kept, sample.picture.rows));
  crop_and_resize(sample, anywhere(size, sample.picture, random), {}, context.filter);
}

// Row 86 (Liu et al., "SSD", arXiv 1512.02325, section 2.2). Draws: least overlap, or all of the
// picture, or any; for up to 50 tries width, height, x, y.
struct MinIoURandomCrop {
  std::vector<double> min_ious{0.1, 0.3, 0.5, 0.7, 0.9};
  double min_crop_size = 0.3;
};
Settings settings(MinIoURandomCrop& o) {
  return Settings{
      "MinIoURandomCrop",
      {
          setting("min_ious", o.min_ious,
                  "least overlaps (IoU) of the cut with every box, of which one is drawn; or no "
                  "bound, or no cut")
              .range(0, 1),
          setting("min_crop_size", o.min_crop_size, "least share of each side").range(0.01, 1),
      }};
}
bool has_centre_in(const Xyxy& box, const cv::Rect& region) {
  const double x = (box.x1 + box.x2) / 2, y = (box.y1 + box.y2) / 2;
  return x > region.x && x < region.br().x && y > region.y && y < region.br().y;
}
void apply(const MinIoURandomCrop& o, Sample& sample, Random& random, Context context) {
  const auto choices = static_cast<int>(o.min_ious.size());
  const int choice = drawn(random, -1, choices);
  if (choice == choices) return;  // no cut
  const double least = choice < 0 ? 0 : o.min_ious[static_cast<std::size_t>(choice)];
  const int w = sample.picture.cols, h = sample.picture.rows;
  for (int tries = 0; tries < 50; ++tries) {
    const int width = share_of(random.uniform(o.min_crop_size, 1), w),
              height = share_of(random.uniform(o.min_crop_size, 1), h);
    const cv::Rect region = anywhere({width, height}, sample.picture, random);
    if (2 * width < height || width > 2 * height) continue;
    const Xyxy cut = to_box(region);
    const auto& objects = sample.objects;
    if (std::any_of(objects.begin(), objects.end(),
                    [&](const Object& object) { return iou(object.box, cut) < least; }))
      continue;
    if (!objects.empty() && std::none_of(objects.begin(), objects.end(), [&](const Object& object) {
          return has_centre_in(object.box, region);
        }))
      continue;
    std::erase_if(sample.objects,
                  [&](const Object& object) { return !has_centre_in(object.box, region); });
    return crop_sample(sample, region, context.filter);
  }
}

// Row 87. Draws: column, row.
struct Tile {
  int rows = 2, columns = 2;
};
Settings settings(Tile& o) {
  return Settings{"Tile",
                  {setting("rows", o.rows, "tiles from top to bottom").range(1, 100),
                   setting("columns", o.columns, "tiles from left to right").range(1, 100)}};
}
void apply(const Tile& o, Sample& sample, Random& random, Context context) {
  const int w = sample.picture.cols, h = sample.picture.rows, columns = std::min(o.columns, w),
            rows = std::min(o.rows, h);
  const int column = drawn(random, 0, columns - 1), row = drawn(random, 0, rows - 1);
  crop_sample(sample,
              {cv::Point(column * w / columns, row * h / rows),
               cv::Point((column + 1) * w / columns, (row + 1) * h / rows)},
              context.filter);
}

}  // namespace

std::vector<TransformEntry> crop_transforms() {
  constexpr auto crop = BoxRule::crop;
  constexpr auto stage = Stage::geometry;
  return {
      entry<RandomCrop>("RandomCrop", crop, stage, 1, "A cut of this size at a random place"),
      entry<CenterCrop>("CenterCrop", crop, stage, 1, "The middle"),
      entry<RandomResizedCrop>("RandomResizedCrop", crop, stage, 1,
                               "A cut of random area and shape, resized"),
      entry<RandomSizedCrop>("RandomSizedCrop", crop, stage, 1, "A cut of random height, resized"),
      entry<BBoxSafeRandomCrop>("BBoxSafeRandomCrop", crop, stage, 1,
                                "A random cut that holds all boxes"),
      entry<RandomSizedBBoxSafeCrop>("RandomSizedBBoxSafeCrop", crop, stage, 1,
                                     "A random cut that holds all boxes, resized"),
      entry<AtLeastOneBBoxRandomCrop>("AtLeastOneBBoxRandomCrop", crop, stage, 1,
                                      "A cut of this size that touches one box"),
      entry<CropAndPad>("CropAndPad", crop, stage, 1, "Each side cut or padded"),
      entry<RandomCropFromBorders>("RandomCropFromBorders", crop, stage, 1, "Each side cut"),
      entry<Crop>("Crop", crop, stage, 1, "Zoom: a random part of the same shape, resized",
                  {"Zoom"}),
      entry<MinIoURandomCrop>(
          "MinIoURandomCrop", crop, stage, 1,
          "A cut that overlaps the boxes enough; objects with their centre in it stay"),
      entry<Tile>("Tile", crop, stage, 1, "One of a grid of tiles")};
}

}  // namespace yolov7::dataset
