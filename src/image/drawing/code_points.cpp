#include "image/drawing/code_points.hpp"

#include <fmt/format.h>
#include <hb.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace yolov7 {
namespace {

hb_unicode_funcs_t* unicode() { return hb_unicode_funcs_get_default(); }
hb_script_t script_of(char32_t c) { return hb_unicode_script(unicode(), c); }

bool is_mark(char32_t c) {
  switch (hb_unicode_general_category(unicode(), c)) {
    case HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK: return true;
    default: return false;
  }
}

constexpr char32_t zero_width_joiner = 0x200D;

struct Range {
  char32_t first, last;
};
/// Unicode's Default_Ignorable_Code_Point, ascending.
constexpr std::array<Range, 17> invisible{{{0x00AD, 0x00AD},
                                           {0x034F, 0x034F},
                                           {0x061C, 0x061C},
                                           {0x115F, 0x1160},
                                           {0x17B4, 0x17B5},
                                           {0x180B, 0x180F},
                                           {0x200B, 0x200F},
                                           {0x202A, 0x202E},
                                           {0x2060, 0x206F},
                                           {0x3164, 0x3164},
                                           {0xFE00, 0xFE0F},
                                           {0xFEFF, 0xFEFF},
                                           {0xFFA0, 0xFFA0},
                                           {0xFFF0, 0xFFF8},
                                           {0x1BCA0, 0x1BCA3},
                                           {0x1D173, 0x1D17A},
                                           {0xE0000, 0xE0FFF}}};

struct ScriptName {
  hb_script_t script;
  const char* name;
};
constexpr std::array<ScriptName, 26> script_names{{{HB_SCRIPT_HAN, "Chinese (Han)"},
                                                   {HB_SCRIPT_HIRAGANA, "Japanese (Hiragana)"},
                                                   {HB_SCRIPT_KATAKANA, "Japanese (Katakana)"},
                                                   {HB_SCRIPT_HANGUL, "Korean (Hangul)"},
                                                   {HB_SCRIPT_LATIN, "Latin"},
                                                   {HB_SCRIPT_GREEK, "Greek"},
                                                   {HB_SCRIPT_CYRILLIC, "Cyrillic"},
                                                   {HB_SCRIPT_ARMENIAN, "Armenian"},
                                                   {HB_SCRIPT_GEORGIAN, "Georgian"},
                                                   {HB_SCRIPT_HEBREW, "Hebrew"},
                                                   {HB_SCRIPT_ARABIC, "Arabic"},
                                                   {HB_SCRIPT_ETHIOPIC, "Ethiopic"},
                                                   {HB_SCRIPT_DEVANAGARI, "Devanagari"},
                                                   {HB_SCRIPT_BENGALI, "Bengali"},
                                                   {HB_SCRIPT_GURMUKHI, "Gurmukhi"},
                                                   {HB_SCRIPT_GUJARATI, "Gujarati"},
                                                   {HB_SCRIPT_TAMIL, "Tamil"},
                                                   {HB_SCRIPT_TELUGU, "Telugu"},
                                                   {HB_SCRIPT_KANNADA, "Kannada"},
                                                   {HB_SCRIPT_MALAYALAM, "Malayalam"},
                                                   {HB_SCRIPT_SINHALA, "Sinhala"},
                                                   {HB_SCRIPT_THAI, "Thai"},
                                                   {HB_SCRIPT_LAO, "Lao"},
                                                   {HB_SCRIPT_KHMER, "Khmer"},
                                                   {HB_SCRIPT_MYANMAR, "Burmese"},
                                                   {HB_SCRIPT_TIBETAN, "Tibetan"}}};

}  // namespace

std::u32string code_points(std::string_view text) {
  const std::string valid = text::printable(text);
  std::u32string out;
  for (std::size_t i = 0; i < valid.size();) {
    const auto first = static_cast<unsigned char>(valid[i]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k)
      c = c << 6 | (static_cast<unsigned char>(valid[i + k]) & 0x3Fu);
    out += c;
    i += length;
  }
  return out;
}

std::string utf8(std::u32string_view text) {
  std::string out;
  const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
  for (const char32_t c : text) {
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
    } else {
      byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F));
      byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
    }
  }
  return out;
}

bool is_invisible(char32_t c) {
  if (c < invisible.front().first) return false;
  const auto range = std::find_if(invisible.begin(), invisible.end(),
                                  [&](const Range& one) { return c <= one.last; });
  return range != invisible.end() && c >= range->first;
}

bool is_direction_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool joins_before(char32_t before, char32_t c) {
  if (c < 0x300) return false;
  return is_mark(c) || (is_invisible(c) && !is_direction_control(c)) || before == zero_width_joiner;
}

bool is_right_to_left(char32_t c) {
  return c >= 0x590 && hb_script_get_horizontal_direction(script_of(c)) == HB_DIRECTION_RTL;
}

std::u32string_view whole_start(std::u32string_view text, std::size_t length) {
  if (length >= text.size()) return text;
  while (length > 0 && joins_before(text[length - 1], text[length])) --length;
  return text.substr(0, length);
}

std::string script_name(char32_t c) {
  const hb_script_t script = script_of(c);
  for (const ScriptName& one : script_names)
    if (one.script == script) return one.name;
  if (script == HB_SCRIPT_COMMON || script == HB_SCRIPT_INHERITED) return "symbol";
  if (script == HB_SCRIPT_UNKNOWN) return "private or unassigned";
  std::array<char, 5> tag{};
  hb_tag_to_string(hb_script_to_iso15924_tag(script), tag.data());
  return tag.data();
}

std::string_view font_package(char32_t c) {
  switch (script_of(c)) {
    case HB_SCRIPT_HAN:
    case HB_SCRIPT_HIRAGANA:
    case HB_SCRIPT_KATAKANA:
    case HB_SCRIPT_BOPOMOFO:
    case HB_SCRIPT_HANGUL: return "fonts-noto-cjk";
    default: return "fonts-noto-core";
  }
}

std::string escape(char32_t c) {
  const auto value = static_cast<unsigned>(c);
  return value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
}

}  // namespace yolov7
