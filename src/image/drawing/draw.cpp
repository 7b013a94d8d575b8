#include "image/drawing/draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/settings.hpp"
#include "image/drawing/text.hpp"

namespace yolov7 {
namespace {

constexpr std::array<std::uint32_t, 10> fixed_colours_rgb = {0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728,
                                                             0x9467bd, 0x8c564b, 0xe377c2, 0x7f7f7f,
                                                             0xbcbd22, 0x17becf};

// SplitMix64's finaliser.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// Hue over the whole circle, never pale and never dark.
cv::Scalar hashed_colour(int class_index, std::uint64_t seed) {
  const std::uint64_t h =
      mix(mix(seed) + (static_cast<std::uint64_t>(static_cast<std::uint32_t>(class_index)) + 1) *
                          0x9E3779B97F4A7C15u);
  const double hue = static_cast<double>(h >> 40) / 16777216.0 * 6;
  const double value = 150 + static_cast<double>(h >> 8 & 0xff) / 255 * 105;
  const double low = value * (0.1 + static_cast<double>(h & 0xff) / 255 * 0.3);
  const auto channel = [&](double offset) {
    const double k = std::fmod(hue + offset, 6.0);
    return std::round(value - (value - low) * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
  };
  return {channel(1), channel(3), channel(5)};
}

double relative_luminance(const cv::Scalar& bgr) {
  const auto linear = [](double v) {
    v /= 255;
    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(bgr[2]) + 0.7152 * linear(bgr[1]) + 0.0722 * linear(bgr[0]);
}

int automatic_thickness(cv::Size picture) {
  return static_cast<int>(std::nearbyint(0.001 * (picture.height + picture.width))) + 1;
}

constexpr double usual_least_size = 12, least_size = 10;  // px of an em: capitals of 9 and 7 px
constexpr int padding = 2;

TextExtent caption_extent(const std::string& text, double size) {
  return text_extent(text, {size});
}

cv::Size background_of(const TextExtent& letters) {
  return {letters.width() + 2 * padding, letters.height() + padding};
}

bool is_finite(const Xyxy& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) &&
         std::isfinite(box.y2);
}

int round_to_int(double v) { return static_cast<int>(std::nearbyint(v)); }

// Above the box, below its upper edge, below the box, above its right corner, over its lower edge:
// the first place that is inside the picture and free, else the first that is inside.
cv::Point caption_corner(const Xyxy& box, cv::Size size, cv::Size picture,
                         std::span<const cv::Rect> taken) {
  const int left = round_to_int(box.x1), right = round_to_int(box.x2) - size.width;
  const int top = round_to_int(box.y1), bottom = round_to_int(box.y2);
  std::optional<cv::Point> first;
  for (const cv::Point wish :
       {cv::Point(left, top - size.height), cv::Point(left, top), cv::Point(left, bottom),
        cv::Point(right, top - size.height), cv::Point(left, bottom - size.height)}) {
    if (wish.y < 0 || wish.y + size.height > picture.height) continue;
    const cv::Point corner(std::clamp(wish.x, 0, picture.width - size.width), wish.y);
    const cv::Rect place(corner, size);
    if (std::none_of(taken.begin(), taken.end(),
                     [&](const cv::Rect& other) { return !(other & place).empty(); }))
      return corner;
    if (!first) first = corner;
  }
  return first.value_or(cv::Point(std::clamp(left, 0, picture.width - size.width),
                                  std::min(top, picture.height - size.height)));
}

void draw_box(cv::Mat& bgr, const Xyxy& box, const cv::Scalar& colour, int thickness) {
  const Xyxy inside = clip(box, bgr.cols - 1, bgr.rows - 1);
  cv::rectangle(bgr, cv::Point(round_to_int(inside.x1), round_to_int(inside.y1)),
                cv::Point(round_to_int(inside.x2), round_to_int(inside.y2)), colour, thickness,
                cv::LINE_AA);
}

// Indices of the finite boxes, descending score.
std::vector<std::size_t> drawn_order(std::span<const Detection> detections) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < detections.size(); ++i)
    if (is_finite(detections[i].box)) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return detections[a].score > detections[b].score;
  });
  return order;
}

}  // namespace

std::vector<Setting> settings(DrawOptions& o) {
  return group("Drawing", {setting("line-thickness", o.line_thickness,
                                   "of the boxes in pixels; 0 = by the image's size")
                               .range(0, 100),
                           setting("hide-labels", o.hide_labels, "boxes without captions"),
                           setting("hide-conf", o.hide_conf, "captions without confidence")});
}

cv::Scalar class_colour(int class_index, std::uint64_t seed) {
  if (seed != 0 || class_index < 0 || class_index >= static_cast<int>(fixed_colours_rgb.size()))
    return hashed_colour(class_index, seed);
  const std::uint32_t rgb = fixed_colours_rgb[static_cast<std::size_t>(class_index)];
  return {static_cast<double>(rgb & 0xff), static_cast<double>(rgb >> 8 & 0xff),
          static_cast<double>(rgb >> 16)};
}

cv::Scalar readable_on(const cv::Scalar& background_bgr) {
  // Contrast is (lighter + 0.05) / (darker + 0.05): black wins where (L + 0.05)² > 0.05 · 1.05.
  const double l = relative_luminance(background_bgr) + 0.05;
  return l * l > 0.05 * 1.05 ? cv::Scalar(0, 0, 0) : cv::Scalar(255, 255, 255);
}

Caption place_caption(std::string_view name, std::string_view suffix, const Xyxy& box,
                      cv::Size picture, int line_thickness, std::span<const cv::Rect> taken) {
  Caption caption;
  caption.size =
      std::max({usual_least_size, 0.012 * (picture.height + picture.width), 10.0 * line_thickness});
  caption.text = isolated(drawable_text(name)) + std::string(suffix);
  TextExtent extent = caption_extent(caption.text, caption.size);
  const cv::Size wanted = background_of(extent);
  const double room = std::min(static_cast<double>(picture.width) / wanted.width,
                               static_cast<double>(picture.height) / wanted.height);
  if (room < 1) {
    caption.size = std::max(least_size, caption.size * room * 0.98);
    caption.text = fitting_text(name, suffix, {caption.size}, picture.width - 2 * padding);
    extent = caption_extent(caption.text, caption.size);
  }
  const cv::Size size = background_of(extent);
  if (caption.text.empty() || size.height > picture.height) return caption;
  caption.background = {
      caption_corner(clip(box, picture.width, picture.height), size, picture, taken), size};
  caption.origin =
      caption.background.tl() + cv::Point(padding + extent.left, padding + extent.above);
  return caption;
}

void draw_caption(cv::Mat& bgr, const Caption& caption, const cv::Scalar& background,
                  const cv::Scalar& letters) {
  if (caption.background.empty()) return;
  cv::Mat place = bgr(caption.background);
  place.setTo(background);
  draw_text(place, caption.text, caption.origin - caption.background.tl(),
            {caption.size, false, letters});
}

void draw_detections(cv::Mat& bgr, std::span<const Detection> detections,
                     std::span<const std::string> names, const DrawOptions& options) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    throw Error(fmt::format(
        "cannot draw: expected an 8-bit image of 3 channels, found {} x {} px, {} channels",
        bgr.cols, bgr.rows, bgr.channels()));
  const int thickness =
      options.line_thickness > 0 ? options.line_thickness : automatic_thickness(bgr.size());
  const std::vector<std::size_t> best_first = drawn_order(detections);
  for (auto i = best_first.rbegin(); i != best_first.rend(); ++i)
    draw_box(bgr, detections[*i].box, class_colour(detections[*i].class_index, options.seed),
             thickness);
  if (options.hide_labels) return;
  std::vector<Caption> captions;
  std::vector<cv::Rect> taken;
  if (!options.reserved.empty()) taken.push_back(options.reserved);
  for (const std::size_t i : best_first) {
    std::string score = detections[i].track > 0 ? fmt::format(" #{}", detections[i].track) : "";
    if (!options.hide_conf) score += fmt::format(" {:.2f}", detections[i].score);
    captions.push_back(place_caption(class_label(detections[i].class_index, names), score,
                                     detections[i].box, bgr.size(), options.line_thickness, taken));
    taken.push_back(captions.back().background);
  }
  for (std::size_t k = best_first.size(); k-- > 0;) {
    const cv::Scalar colour = class_colour(detections[best_first[k]].class_index, options.seed);
    draw_caption(bgr, captions[k], colour, readable_on(colour));
  }
}

}  // namespace yolov7
