#pragma once
// Detections drawn into pictures: rectangles and captions that can be read on any picture
// (evaluation 3.5).
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7 {

struct Setting;

struct DrawOptions {
  int line_thickness = 0;    ///< pixels; 0 = round(0.001 · (height + width)) + 1
  bool hide_labels = false;  ///< no captions at all
  bool hide_conf = false;    ///< captions without the score
  std::uint64_t seed = 0;    ///< another palette; 0 = the usual one
  cv::Rect reserved = {};    ///< captions keep off it where they can
};

/// The options of a command line that these members are.
std::vector<Setting> settings(DrawOptions& options);

/// B G R. Ten fixed colours (evaluation 1.15), further ones by a hash of the index; a function of
/// (index, seed) alone.
cv::Scalar class_colour(int class_index, std::uint64_t seed = 0);
/// Black or white, whichever has the higher contrast (WCAG 2 relative luminance; at least 4.58 : 1
/// on any colour).
cv::Scalar readable_on(const cv::Scalar& background_bgr);

/// A line of text on a filled rectangle, in pixels of the picture. `background` is empty where
/// nothing fits.
struct Caption {
  std::string text;
  cv::Rect background;
  cv::Point origin;  ///< left end of the base line
  double size = 0;   ///< of the letters (TextStyle)
};

/// Above the box's upper left corner, below its upper edge where there is no room, always wholly
/// inside the picture; at another edge of the box where that keeps it off the rectangles in
/// `taken`. The letters grow with the picture (an em of at least 10 · line_thickness px), and
/// capitals never fall below 7 px; a text that is too wide loses the end of `name`
/// ("aeropl.. 0.87"), never `suffix`.
Caption place_caption(std::string_view name, std::string_view suffix, const Xyxy& box,
                      cv::Size picture, int line_thickness, std::span<const cv::Rect> taken = {});
void draw_caption(cv::Mat& bgr, const Caption& caption, const cv::Scalar& background,
                  const cv::Scalar& letters);

/// Boxes in pixels of `bgr` (8-bit, 3 channels), drawn in ascending score so that the best stays on
/// top, then the captions, which avoid each other where they can; with "#12" where Detection::track
/// is set. A class without a name, or whose letters no font has, is "class 7". Boxes are cut at the
/// border; those that are not finite are left out.
void draw_detections(cv::Mat& bgr, std::span<const Detection> detections,
                     std::span<const std::string> names, const DrawOptions& options);

}  // namespace yolov7
