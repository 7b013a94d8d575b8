#pragma once
// Text as Unicode code points: what stays together when text is cut, what is seen, which script it
// belongs to.
#include <string>
#include <string_view>

namespace yolov7 {

/// Control characters and invalid UTF-8 as \xNN (text::printable).
std::u32string code_points(std::string_view text);
std::string utf8(std::u32string_view code_points);

/// Has no shape of its own: joiners, direction marks, variation selectors.
bool is_invisible(char32_t c);
/// Sets a direction beyond its own place: embeddings, overrides, isolates and their ends.
bool is_direction_control(char32_t c);
/// Stands on or joins the code point before it, so that the two are never parted: marks, joiners.
bool joins_before(char32_t before, char32_t c);
/// Read from right to left.
bool is_right_to_left(char32_t c);

/// The first `length` code points, fewer where a mark would be parted from its letter.
std::u32string_view whole_start(std::u32string_view text, std::size_t length);

/// "Chinese (Han)", "Cyrillic", … or the four letters of ISO 15924.
std::string script_name(char32_t c);
/// The Debian package of a font for it.
std::string_view font_package(char32_t c);
/// "\u732b", "\U0001f600".
std::string escape(char32_t c);

}  // namespace yolov7
