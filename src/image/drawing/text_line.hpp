#pragma once
// One line of text as shapes: ordered for display (right-to-left runs), joined and placed as its
// script asks, each character from the first font that has it. Thread-safe.
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string_view>

namespace yolov7 {

/// What is seen of a line. The pen begins at (0, 0), on the base line.
struct TextLine {
  cv::Mat coverage;    ///< how much of each pixel the letters cover (CV_8U); empty where nothing is
  cv::Point corner;    ///< of `coverage`, relative to the pen
  double advance = 0;  ///< where the next text would begin
  cv::Rect ink() const { return {corner, coverage.size()}; }
};

/// `size`: px of an em. The line as a whole runs from left to right. Lines are kept for the next
/// time, up to a few megabytes.
std::shared_ptr<const TextLine> lay_out(std::u32string_view text, double size, bool bold);
/// Whether a font of this machine has the character, or it has no shape of its own.
bool has_font(char32_t c);

}  // namespace yolov7
