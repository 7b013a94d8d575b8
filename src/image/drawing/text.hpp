#pragma once
// Text in images: the one place that measures and draws it. Any script that a font of this machine
// has (fonts.hpp); right-to-left runs are ordered for display. What no font has is drawn as its
// code ("\u732b"), and a warning says so. Thread-safe.
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>

namespace yolov7 {

struct TextStyle {
  double size = 16;  ///< px of an em; capitals are 0.73 of it high
  bool bold = false;
  cv::Scalar colour = {0, 0, 0};  ///< B G R
};

enum class TextAnchor { left, centre, right };  ///< the part of the base line that is placed

/// Px around the start of the base line. All that is drawn lies within.
struct TextExtent {
  int left = 0, right = 0, above = 0, below = 0;
  int width() const { return left + right; }
  int height() const { return above + below; }
};

/// As high as capitals and tails at least, so that lines of one style are equally high.
TextExtent text_extent(std::string_view text, const TextStyle& style);
int text_width(std::string_view text, const TextStyle& style);

/// Into an 8-bit image of 3 channels; what lies outside is cut.
void draw_text(cv::Mat& bgr, std::string_view text, cv::Point at, const TextStyle& style,
               TextAnchor anchor = TextAnchor::left);
/// Turned by 90° so that it is read upwards, `centre` in its middle.
void draw_upward_text(cv::Mat& bgr, std::string_view text, cv::Point centre,
                      const TextStyle& style);

/// What is drawn: control characters escaped (text::printable), characters that no font has and
/// what changes the direction of its surroundings as "\u732b"; at most 400 characters. The first
/// missing character of each script is a warning, which calls the text `what`.
std::string drawable_text(std::string_view text, std::string_view what = "text");
/// drawable_text() of the class's name; "class 7" where it has no name or no font has any of its
/// letters.
std::string class_label(int class_index, std::span<const std::string> names);
/// For text between other text: a right-to-left name keeps to its place ("name 0.87", not
/// "0.87 name").
std::string isolated(std::string_view text);
/// name + suffix, the end of the name left out where the whole is wider than `width` px
/// ("aeropl.. 0.87"), never the suffix; "" where not even that fits. The name is isolated().
std::string fitting_text(std::string_view name, std::string_view suffix, const TextStyle& style,
                         int width);

}  // namespace yolov7
