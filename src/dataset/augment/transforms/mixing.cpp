#include "dataset/augment/transforms/mixing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "dataset/augment/copy_paste.hpp"
#include "dataset/augment/mixup.hpp"
#include "dataset/augment/mosaic.hpp"
#include "dataset/augment/paste_in.hpp"
#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/geometry.hpp"
#include "dataset/augment/transforms/styles.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

/// Another picture with its objects, letterboxed into `size`.
Sample partner(cv::Size size, Random& random, const TransformContext& context) {
  Sample other = context.other(random);
  letterbox_sample(other, size, context.filter);
  return other;
}

// Rows 101. Draws: centre or window y, x; then those of the other pictures, in tile order.
Tile mosaic_tile(Sample sample, int s) {
  resize_sample(sample, resized_size(sample.picture.size(), s), {});
  return to_tile(sample);
}

/// The central s × s px of a mosaic of 2s × 2s px, s the sample's long side: what the perspective
/// leaves (data 8.4) where it changes nothing else.
void take_centre(Sample& sample, Sample mosaic, int s, const BoxFilter& filter) {
  const cv::Rect centre((mosaic.picture.cols - s) / 2, (mosaic.picture.rows - s) / 2, s, s);
  sample = std::move(mosaic);
  std::erase_if(sample.objects, [](const Object& object) {
    return !(object.box.area() > 0);
  });  // cut away by the canvas
  crop_sample(sample, centre, filter);
}

template <std::size_t count>
std::array<Tile, count> mosaic_tiles(const Sample& sample, int s, Random& random,
                                     const TransformContext& context) {
  std::array<Tile, count> tiles;
  tiles[0] = mosaic_tile(sample, s);
  for (std::size_t i = 1; i < count; ++i) tiles[i] = mosaic_tile(context.other(random), s);
  return tiles;
}

struct Mosaic4 {};
Settings settings(Mosaic4&) { return {"Mosaic4", {}}; }
void apply(const Mosaic4&, Sample& sample, Random& random, const TransformContext& context) {
  if (!context.other) return;
  const int s = std::max(sample.picture.cols, sample.picture.rows);
  const double y = random.uniform(s / 2.0, 3 * s / 2.0), x = random.uniform(s / 2.0, 3 * s / 2.0);
  take_centre(sample, mosaic4(mosaic_tiles<4>(sample, s, random, context), s, y, x), s,
              context.filter);
}

struct Mosaic9 {};
Settings settings(Mosaic9&) { return {"Mosaic9", {}}; }
void apply(const Mosaic9&, Sample& sample, Random& random, const TransformContext& context) {
  if (!context.other) return;
  const int s = std::max(sample.picture.cols, sample.picture.rows);
  const double y = random.uniform(0, s), x = random.uniform(0, s);
  take_centre(sample, mosaic9(mosaic_tiles<9>(sample, s, random, context), s, y, x), s,
              context.filter);
}

// Row 102. Draws: ratio, then the other picture's.
struct MixUp {
  double alpha = 8;
};
Settings settings(MixUp& o) {
  return Settings{
      "MixUp",
      {setting("alpha", o.alpha, "the first image's share is drawn from Beta(alpha, alpha)")
           .range(0.01, 1000)}};
}
void apply(const MixUp& o, Sample& sample, Random& random, const TransformContext& context) {
  if (!context.other) return;
  const double ratio = random.beta(o.alpha, o.alpha);
  mixup(sample, partner(sample.picture.size(), random, context), ratio);
}

// Row 103. Draws: λ, centre x, y, then the other picture's.
struct CutMix {
  double alpha = 1;
  CutMixOptions options;
};
Settings settings(CutMix& o) {
  return Settings{
      "CutMix",
      {
          setting("alpha", o.alpha,
                  "the share of the image that stays is drawn from Beta(alpha, alpha)")
              .range(0.01, 1000),
          setting("keep_base", o.options.keep_base,
                  "an object stays while at least this share of its box is visible")
              .range(0, 1),
          setting(
              "keep_patch", o.options.keep_patch,
              "an object of the patch comes along where at least this share of its box is in it")
              .range(0, 1),
          setting("trim", o.options.trim,
                  "boxes end at the patch where it hides a whole end of them"),
      }};
}
void apply(const CutMix& o, Sample& sample, Random& random, const TransformContext& context) {
  if (!context.other) return;
  const cv::Size size = sample.picture.size();
  const double lambda = random.beta(o.alpha, o.alpha);
  const int x = static_cast<int>(random.integer(0, size.width - 1)),
            y = static_cast<int>(random.integer(0, size.height - 1));
  cutmix(sample, partner(size, random, context), cutmix_patch(size, lambda, {x, y}), o.options,
         context.filter);
}

// Row 104.
struct CopyPaste {
  double fraction = 0.5;
};
Settings settings(CopyPaste& o) {
  return Settings{
      "CopyPaste",
      {setting("fraction", o.fraction, "share of the outlined objects that is pasted mirrored")
           .range(0, 1)}};
}
void apply(const CopyPaste& o, Sample& sample, Random& random, const TransformContext&) {
  copy_paste(sample, choose_polygons(sample.objects, o.fraction, random));
}

struct PasteIn {
  int pictures = 8;
  double fraction = 1;
};
Settings settings(PasteIn& o) {
  return Settings{
      "PasteIn",
      {
          setting("pictures", o.pictures,
                  "other images that outlined objects are taken from, at most")
              .range(1, 1000),
          setting("fraction", o.fraction, "share of their outlined objects that is taken")
              .range(0, 1),
      }};
}
void apply(const PasteIn& o, Sample& sample, Random& random, const TransformContext& context) {
  if (!context.other) return;
  std::vector<PasteSource> sources;
  for (int i = 0; i < o.pictures && sources.size() < paste_sources_wanted; ++i) {
    const Sample other = context.other(random);
    for (PasteSource& source :
         cut_sources(other, choose_polygons(other.objects, o.fraction, random)))
      sources.push_back(std::move(source));
  }
  paste_in(sample, sources, random);
}

// Row 105, data 8.9. Draws for each copy: y, x.
struct Replicate {};
Settings settings(Replicate&) { return {"Replicate", {}}; }
void apply(const Replicate&, Sample& sample, Random& random, const TransformContext&) {
  const cv::Mat before = sample.picture.clone();
  std::vector<std::size_t> order(sample.objects.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto side = [&](std::size_t i) {
    return sample.objects[i].box.width() + sample.objects[i].box.height();
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return side(a) < side(b); });
  order.resize(static_cast<std::size_t>(std::nearbyint(static_cast<double>(order.size()) / 2)));
  for (const std::size_t i : order) {
    const Object object = sample.objects[i];
    const cv::Rect from =
        cv::Rect(cv::Point(static_cast<int>(object.box.x1), static_cast<int>(object.box.y1)),
                 cv::Point(static_cast<int>(object.box.x2), static_cast<int>(object.box.y2))) &
        cv::Rect(0, 0, before.cols, before.rows);
    const int y = static_cast<int>(random.uniform(0, before.rows - from.height)),
              x = static_cast<int>(random.uniform(0, before.cols - from.width));
    if (from.empty()) continue;
    before(from).copyTo(sample.picture(cv::Rect({x, y}, from.size())));
    sample.objects.push_back(
        {object.class_index, to_box({{x, y}, from.size()}), {}, object.weight, object.ignored});
  }
}

/// What of the picture `size` is left beside the patch for a box of which the patch hides a whole
/// end.
Xyxy beside_patch(const Xyxy& box, const Xyxy& patch, cv::Size size) {
  Xyxy left{0, 0, static_cast<double>(size.width), static_cast<double>(size.height)};
  if (patch.y1 <= box.y1 && patch.y2 >= box.y2) {
    if (patch.x1 <= box.x1 && patch.x2 > box.x1) left.x1 = patch.x2;
    if (patch.x2 >= box.x2 && patch.x1 < box.x2) left.x2 = patch.x1;
  } else if (patch.x1 <= box.x1 && patch.x2 >= box.x2) {
    if (patch.y1 <= box.y1 && patch.y2 > box.y1) left.y1 = patch.y2;
    if (patch.y2 >= box.y2 && patch.y1 < box.y2) left.y2 = patch.y1;
  }
  return left;
}

}  // namespace

cv::Rect cutmix_patch(cv::Size size, double lambda, cv::Point centre) {
  const double share = std::sqrt(1 - lambda);
  const int half_width = static_cast<int>(size.width * share) / 2,
            half_height = static_cast<int>(size.height * share) / 2;
  return cv::Rect(centre.x - half_width, centre.y - half_height, 2 * half_width, 2 * half_height) &
         cv::Rect({}, size);
}

void cutmix(Sample& base, const Sample& other, const cv::Rect& patch, const CutMixOptions& o,
            const BoxFilter& filter) {
  if (patch.empty()) return;
  other.picture(patch).copyTo(base.picture(patch));
  const Xyxy region = to_box(patch);
  const auto share_inside = [&](const Object& object) {
    return intersection_area(object.box, region) / object.box.area();
  };
  BoxFilter size_only = filter;
  size_only.min_visibility = 0;  // the shares here are the transform's own
  std::erase_if(base.objects, [&](Object& object) {
    const double hidden = share_inside(object);
    if (hidden == 0) return false;
    if (1 - hidden < o.keep_base) return true;
    return o.trim &&
           !cut_object(object, beside_patch(object.box, region, base.picture.size()), size_only);
  });
  for (Object object : other.objects)
    if (share_inside(object) >= o.keep_patch && cut_object(object, region, size_only))
      base.objects.push_back(std::move(object));
}

std::vector<TransformEntry> mixing_transforms() {
  constexpr auto mixes = BoxRule::mixes;
  std::vector<TransformEntry> all{
      entry<Mosaic4>("Mosaic4", mixes, Stage::mixing, 1,
                     "Four images around a random centre; the middle of them, as large as the "
                     "first image's long side both ways",
                     {"Mosaic"}),
      entry<Mosaic9>(
          "Mosaic9", mixes, Stage::mixing, 1,
          "Nine images; a window of them, as large as the first image's long side both ways"),
      entry<MixUp>("MixUp", mixes, Stage::mixing, 0.5,
                   "Weighted mean of two images with the objects of both"),
      entry<CutMix>("CutMix", mixes, Stage::mixing, 0.5,
                    "A rectangle of another image, with its objects"),
      entry<CopyPaste>("CopyPaste", mixes, Stage::picture, 0.5,
                       "Outlined objects again, mirrored, where they hide little; runs on each "
                       "image before the mosaic"),
      entry<PasteIn>("PasteIn", mixes, Stage::erasing, 0.5,
                     "Outlined objects of other images at random places"),
      entry<Replicate>("Replicate", mixes, Stage::mixing, 0.5,
                       "The smaller half of the objects again at random places")};
  for (TransformEntry& one : style_transforms()) all.push_back(std::move(one));
  return all;
}

}  // namespace yolov7::dataset
