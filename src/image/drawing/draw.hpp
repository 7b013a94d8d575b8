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
  cv::Rect reserved = {};    ///< captions avoid this rectangle where they can
};

/// The command-line options that set these members.
std::vector<Setting> settings(DrawOptions& options);

/// B G R. The first ten classes have fixed colours (evaluation 1.15). Further classes, and all
/// classes where the seed is not 0, have a colour from a hash of index and seed.
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

/// Finds a place for the text `name` + `suffix` at the box. The first choice is above the upper
/// left corner. The next is inside the box, below its upper edge; then come its other edges. The
/// first of these places that lies inside the picture and overlaps no rectangle of `taken` is used,
/// else the first that lies inside the picture. The caption always lies wholly inside the picture.
/// The letters grow with the picture (an em of at least 10 · line_thickness px), and capitals are
/// at least 7 px high. A text that is too wide loses the end of `name` ("aeropl.. 0.87"), never
/// `suffix`.
Caption place_caption(std::string_view name, std::string_view suffix, const Xyxy& box,
                      cv::Size picture, int line_thickness, std::span<const cv::Rect> taken = {});
void draw_caption(cv::Mat& bgr, const Caption& caption, const cv::Scalar& background,
                  const cv::Scalar& letters);

/// Draws the boxes, in pixels of `bgr` (8-bit, 3 channels), in ascending order of score, so that
/// the best one stays on top. Then draws the captions, which avoid each other where they can. A
/// caption has "#12" where Detection::track is set. A class without a name, or with a name whose
/// letters no font has, is "class 7". Boxes are cut at the border; boxes that are not finite are
/// left out.
void draw_detections(cv::Mat& bgr, std::span<const Detection> detections,
                     std::span<const std::string> names, const DrawOptions& options);

}  // namespace yolov7
