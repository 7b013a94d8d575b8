#include "image/drawing/text_line.hpp"

#include <ft2build.h>
#include <raqm.h>
#include FT_OUTLINE_H

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <opencv2/core.hpp>
#include <tuple>

#include "core/error.hpp"
#include "image/drawing/code_points.hpp"
#include "image/drawing/fonts.hpp"

namespace yolov7 {
namespace {

// Hinting in height alone: crisp base lines, widths true to scale.
constexpr int load_flags = FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP;
constexpr int steps_per_pixel = 4;            // of the pen
constexpr std::size_t most_bytes = 8u << 20;  // of the shapes, and of the lines
constexpr std::size_t bytes_of_an_entry = 200;
constexpr double bold_strength = 1.0 / 24;  // of an em

long to_26_6(double pixels) { return std::lround(pixels * 64); }

using Shape = TextLine;  // of one letter; its advance is the layout's business
/// font, glyph, size and boldness, place of the pen within its pixel
using ShapeKey = std::tuple<std::size_t, unsigned, long, bool, int>;

using LineKey = std::tuple<std::u32string, long, bool>;

/// What was made once, by key; all of it goes when it is more than `most_bytes`.
template <class Key>
class Kept {
 public:
  template <class Make>
  std::shared_ptr<const TextLine> get(Key key, Make make) {
    if (const auto known = all_.find(key); known != all_.end()) return known->second;
    const auto made = std::make_shared<const TextLine>(make());
    if (bytes_ > most_bytes) all_.clear(), bytes_ = 0;
    bytes_ += made->coverage.total() + bytes_of_an_entry;
    all_.emplace(std::move(key), made);
    return made;
  }

 private:
  std::map<Key, std::shared_ptr<const TextLine>> all_;
  std::size_t bytes_ = 0;
};

struct PlacedShape {
  std::shared_ptr<const Shape> shape;
  cv::Point pen;
  cv::Rect ink() const { return {pen + shape->corner, shape->coverage.size()}; }
};

class Lettering {
 public:
  Lettering() : fonts_(first_fonts(), font_files(font_folders())) {}

  std::shared_ptr<const TextLine> lay_out(std::u32string_view text, double size, bool bold) {
    LineKey key(text, to_26_6(size), bold);
    const std::lock_guard lock(mutex_);
    const auto made = [&] { return placed(shaped(text, to_26_6(size)), to_26_6(size), bold); };
    return lines_.get(std::move(key), made);
  }
  bool has(char32_t c) {
    const std::lock_guard lock(mutex_);
    return fonts_.find(c).has_value();
  }

 private:
  struct Layout {
    struct Destroy {
      void operator()(raqm_t* one) const { raqm_destroy(one); }
    };
    std::unique_ptr<raqm_t, Destroy> raqm{raqm_create()};
    std::vector<std::size_t> fonts;  // of each code point
  };

  Layout shaped(std::u32string_view text, long size);
  TextLine placed(const Layout& layout, long size, bool bold);
  std::vector<PlacedShape> placed_shapes(const Layout& layout, long size, bool bold,
                                         double& advance);
  std::vector<std::size_t> fonts_of(std::u32string_view text);
  std::shared_ptr<const Shape> shape(const ShapeKey& key);
  Shape drawn(const ShapeKey& key) const;

  std::mutex mutex_;
  Fonts fonts_;
  Kept<ShapeKey> shapes_;
  Kept<LineKey> lines_;
};

/// Marks and joiners stay in the font of their letter.
std::vector<std::size_t> Lettering::fonts_of(std::u32string_view text) {
  std::vector<std::size_t> fonts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool stays = i > 0 && (is_invisible(text[i]) || joins_before(text[i - 1], text[i]));
    if (stays && (is_invisible(text[i]) || fonts_.has(fonts.back(), text[i])))
      fonts.push_back(fonts.back());
    else
      fonts.push_back(fonts_.find(text[i]).value_or(0));
  }
  return fonts;
}

/// Han characters have shapes of their own in China, Japan and Korea; the other characters tell.
const char* language_of(std::u32string_view text) {
  const auto any = [&](char32_t first, char32_t last) {
    return std::any_of(text.begin(), text.end(),
                       [&](char32_t c) { return c >= first && c <= last; });
  };
  if (any(0x3040, 0x30FF)) return "ja";
  if (any(0xAC00, 0xD7A3)) return "ko";
  return any(0x3400, 0x9FFF) ? "zh-hans" : nullptr;
}

Lettering::Layout Lettering::shaped(std::u32string_view text, long size) {
  Layout layout;
  if (text.empty()) return layout;
  layout.fonts = fonts_of(text);
  raqm_t* raqm = layout.raqm.get();
  const std::vector<std::uint32_t> points(text.begin(), text.end());
  bool good = raqm != nullptr && raqm_set_text(raqm, points.data(), points.size()) &&
              raqm_set_par_direction(raqm, RAQM_DIRECTION_LTR) &&
              raqm_set_freetype_load_flags(raqm, load_flags);
  if (const char* language = language_of(text); good && language != nullptr)
    good = raqm_set_language(raqm, language, 0, points.size());
  for (std::size_t start = 0; start < points.size() && good;) {
    std::size_t end = start + 1;
    while (end < points.size() && layout.fonts[end] == layout.fonts[start]) ++end;
    const Fonts::Face face = fonts_.face(layout.fonts[start]);
    good = FT_Set_Char_Size(face, size, size, 72, 72) == 0 &&
           raqm_set_freetype_face_range(raqm, face, start, end - start);
    start = end;
  }
  if (!good || !raqm_layout(raqm)) throw Error("a line of text cannot be laid out");
  return layout;
}

std::vector<PlacedShape> Lettering::placed_shapes(const Layout& layout, long size, bool bold,
                                                  double& advance) {
  std::vector<PlacedShape> shapes;
  std::size_t count = 0;
  const raqm_glyph_t* glyphs = raqm_get_glyphs(layout.raqm.get(), &count);
  long x = 0, y = 0;
  const long wider = bold ? std::lround(static_cast<double>(size) * bold_strength) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const raqm_glyph_t& glyph = glyphs[i];
    constexpr long step = 64 / steps_per_pixel;
    const long at = x + glyph.x_offset + step / 2,
               pixel = static_cast<long>(std::floor(static_cast<double>(at) / 64));
    const ShapeKey key{layout.fonts[glyph.cluster], glyph.index, size, bold,
                       static_cast<int>((at - pixel * 64) / step)};
    const cv::Point pen(
        static_cast<int>(pixel),
        static_cast<int>(-std::lround(static_cast<double>(y + glyph.y_offset) / 64)));
    PlacedShape one{shapes_.get(key, [&] { return drawn(key); }), pen};
    if (!one.shape->coverage.empty()) shapes.push_back(std::move(one));
    x += glyph.x_advance + (glyph.x_advance > 0 ? wider : 0);
    y += glyph.y_advance;
  }
  advance = static_cast<double>(x) / 64;
  return shapes;
}

TextLine Lettering::placed(const Layout& layout, long size, bool bold) {
  TextLine line;
  if (layout.fonts.empty()) return line;
  const std::vector<PlacedShape> shapes = placed_shapes(layout, size, bold, line.advance);
  cv::Rect ink;
  for (const PlacedShape& one : shapes) ink |= one.ink();
  line.corner = ink.tl();
  line.coverage = cv::Mat::zeros(ink.size(), CV_8U);
  for (const PlacedShape& one : shapes) {
    cv::Mat part = line.coverage(one.ink() - line.corner);
    cv::max(part, one.shape->coverage, part);
  }
  return line;
}

Shape Lettering::drawn(const ShapeKey& key) const {
  const auto& [font, glyph, size, bold, part] = key;
  const Fonts::Face face = fonts_.face(font);
  Shape made;
  if (FT_Load_Glyph(face, glyph, load_flags) != 0) return made;
  FT_GlyphSlot slot = face->glyph;
  if (slot->format == FT_GLYPH_FORMAT_OUTLINE) {
    if (bold)
      FT_Outline_Embolden(&slot->outline, std::lround(static_cast<double>(size) * bold_strength));
    FT_Outline_Translate(&slot->outline, part * (64 / steps_per_pixel), 0);
  }
  if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0) return made;
  const FT_Bitmap& bitmap = slot->bitmap;
  if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY || bitmap.width == 0 || bitmap.rows == 0) return made;
  made.coverage.create(static_cast<int>(bitmap.rows), static_cast<int>(bitmap.width), CV_8U);
  for (int row = 0; row < made.coverage.rows; ++row)
    std::copy_n(bitmap.buffer + static_cast<std::ptrdiff_t>(row) * bitmap.pitch, bitmap.width,
                made.coverage.ptr(row));
  made.corner = {slot->bitmap_left, -slot->bitmap_top};
  return made;
}

/// Lives as long as the program, so that threads that end late may still draw.
Lettering& lettering() {
  static Lettering& one = *new Lettering;
  return one;
}

}  // namespace

std::shared_ptr<const TextLine> lay_out(std::u32string_view text, double size, bool bold) {
  return lettering().lay_out(text, std::clamp(size, 4.0, 1000.0), bold);
}

bool has_font(char32_t c) {
  return (c >= ' ' && c < 0x7F) || is_invisible(c) || lettering().has(c);
}

}  // namespace yolov7
