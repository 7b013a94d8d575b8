#include "image/drawing/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <opencv2/core.hpp>
#include <set>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "image/drawing/code_points.hpp"
#include "image/drawing/text_line.hpp"

namespace yolov7 {
namespace {

constexpr std::size_t most_of_a_name = 400, most_of_a_line = 2000;  // characters
constexpr double capitals = 0.76, tails = 0.24;                     // of an em, with a little air
constexpr double most_above = 1.5, most_below = 1.0;                // what piled up marks may take
constexpr char32_t isolate = 0x2068, isolate_end = 0x2069;          // FSI, PDI

struct Drawable {
  std::u32string text;
  char32_t missing = 0;  // the first character that no font has
  bool shows = false;    // a letter, not escapes alone
};

bool is_harmful(char32_t c) {  // for the order of what stands around it
  return (c >= 0x202A && c <= 0x202E) || c == 0x2028 || c == 0x2029;
}

Drawable drawable(std::u32string_view text, std::size_t most) {
  Drawable out;
  for (const char32_t c : text) {
    if (out.text.size() >= most) {
      out.text += U"..";
      break;
    }
    const bool missing = !has_font(c);
    if (missing && out.missing == 0) out.missing = c;
    if (!missing && c > ' ' && !is_invisible(c)) out.shows = true;
    if (missing || is_harmful(c))
      for (const char one : escape(c)) out.text += static_cast<char32_t>(one);
    else
      out.text += c;
  }
  return out;
}

/// Once for each script.
void warn_of_missing(char32_t c, std::string_view what, std::string_view text,
                     std::string_view drawn) {
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::string script = script_name(c);
  {
    const std::lock_guard lock(mutex);
    if (!said.insert(script).second) return;
  }
  log::warning(fmt::format(
      "{} '{}': no font has its {} characters ({}), so images show it as '{}'; other text of this "
      "script likewise. Install a font (Debian: {}) or name one in YOLOV7_FONT",
      what, text, script, escape(c), drawn, font_package(c)));
}

std::u32string shown(std::string_view text, std::size_t most, std::string_view what) {
  Drawable out = drawable(code_points(text), most);
  if (out.missing != 0) warn_of_missing(out.missing, what, text, utf8(out.text));
  return std::move(out.text);
}

std::shared_ptr<const TextLine> line_of(std::string_view text, const TextStyle& style) {
  return lay_out(shown(text, most_of_a_line, "text"), style.size, style.bold);
}

int rounded_up(double v) { return static_cast<int>(std::ceil(v)); }

void paint(cv::Mat& bgr, const cv::Mat& coverage, cv::Point corner, const cv::Scalar& colour) {
  if (bgr.type() != CV_8UC3)
    throw Error(fmt::format("cannot draw text: expected an 8-bit image of 3 channels, found {}",
                            bgr.channels()));
  const cv::Vec3i wanted(cv::saturate_cast<std::uint8_t>(colour[0]),
                         cv::saturate_cast<std::uint8_t>(colour[1]),
                         cv::saturate_cast<std::uint8_t>(colour[2]));
  const cv::Rect place = cv::Rect(corner, coverage.size()) & cv::Rect({0, 0}, bgr.size());
  for (int y = place.y; y < place.br().y; ++y) {
    const std::uint8_t* part = coverage.ptr(y - corner.y) - corner.x;
    auto* pixels = bgr.ptr<cv::Vec3b>(y);
    for (int x = place.x; x < place.br().x; ++x) {
      if (part[x] == 0) continue;
      for (int k = 0; k < 3; ++k)
        pixels[x][k] = static_cast<std::uint8_t>(
            (pixels[x][k] * (255 - part[x]) + wanted[k] * part[x] + 127) / 255);
    }
  }
}

}  // namespace

TextExtent text_extent(std::string_view text, const TextStyle& style) {
  const auto line = line_of(text, style);
  const cv::Rect ink = line->ink();
  TextExtent extent{std::max(0, -ink.x), std::max(rounded_up(line->advance), ink.br().x),
                    rounded_up(capitals * style.size), rounded_up(tails * style.size)};
  extent.above = std::clamp(-ink.y, extent.above, rounded_up(most_above * style.size));
  extent.below = std::clamp(ink.br().y, extent.below, rounded_up(most_below * style.size));
  return extent;
}

int text_width(std::string_view text, const TextStyle& style) {
  return text_extent(text, style).width();
}

void draw_text(cv::Mat& bgr, std::string_view text, cv::Point at, const TextStyle& style,
               TextAnchor anchor) {
  const auto line = line_of(text, style);
  const double before = anchor == TextAnchor::left     ? 0
                        : anchor == TextAnchor::centre ? line->advance / 2
                                                       : line->advance;
  paint(bgr, line->coverage,
        at + line->corner - cv::Point(static_cast<int>(std::lround(before)), 0), style.colour);
}

void draw_upward_text(cv::Mat& bgr, std::string_view text, cv::Point centre,
                      const TextStyle& style) {
  const auto line = line_of(text, style);
  if (line->coverage.empty()) return;
  cv::Mat turned;
  cv::rotate(line->coverage, turned, cv::ROTATE_90_COUNTERCLOCKWISE);
  // The base line is a column, half the capitals to the right of the centre; the text ends at the
  // top.
  const int base = centre.x + static_cast<int>(std::lround(capitals / 2 * style.size)),
            start = centre.y + static_cast<int>(std::lround(line->advance / 2));
  paint(bgr, turned, {base + line->corner.y, start - line->corner.x - line->coverage.cols},
        style.colour);
}

std::string drawable_text(std::string_view text, std::string_view what) {
  return utf8(shown(text, most_of_a_name, what));
}

std::string class_label(int class_index, std::span<const std::string> names) {
  const std::string number = fmt::format("class {}", class_index);
  if (class_index < 0 || static_cast<std::size_t>(class_index) >= names.size()) return number;
  const std::string& name = names[static_cast<std::size_t>(class_index)];
  const Drawable out = drawable(code_points(name), most_of_a_name);
  std::string label = out.missing != 0 && !out.shows ? number : utf8(out.text);
  if (out.missing != 0) warn_of_missing(out.missing, number, name, label);
  return label;
}

std::string isolated(std::string_view text) {
  const std::u32string points = code_points(text);
  if (std::none_of(points.begin(), points.end(),
                   [](char32_t c) { return is_right_to_left(c) || is_direction_control(c); }))
    return utf8(points);
  std::u32string out{isolate};
  for (const char32_t c : points) {
    if (!is_direction_control(c))
      out += c;
    else
      for (const char one : escape(c)) out += static_cast<char32_t>(one);
  }
  return utf8(out + isolate_end);
}

std::string fitting_text(std::string_view name, std::string_view suffix, const TextStyle& style,
                         int width) {
  const std::u32string points = code_points(drawable_text(name));
  const auto with = [&](std::size_t length) {
    const std::u32string_view start = whole_start(points, length);
    if (start.empty() && !points.empty()) return std::string(text::trim(suffix));
    const bool whole = start.size() == points.size();
    return isolated(utf8(start) + (whole ? "" : "..")) + std::string(suffix);
  };
  const auto fits = [&](std::size_t length) { return text_width(with(length), style) <= width; };
  if (fits(points.size())) return with(points.size());
  std::size_t low = 0, high = points.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return fits(low) ? with(low) : std::string();
}

}  // namespace yolov7
