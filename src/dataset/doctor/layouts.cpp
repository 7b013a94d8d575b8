#include "dataset/doctor/layouts.hpp"

#include <cmath>

namespace yolov7::dataset::doctor {
namespace {

constexpr std::size_t form_count = 8;

const char* form_cause(Form form) {
  switch (form) {
    case Form::centre: return "";
    case Form::corners: return "corners for centre and size";
    case Form::top_left: return "top left corner for centre";
    case Form::axes_exchanged: return "axes exchanged";
    case Form::corners_exchanged: return "corners with exchanged axes";
    case Form::corner_pairs: return "corners as pairs of x and of y";
    case Form::size_first: return "size before centre";
    case Form::sides_exchanged: return "width and height exchanged";
  }
  return "";
}

const char* unit_cause(Unit unit) {
  switch (unit) {
    case Unit::fraction: return "";
    case Unit::percent: return "per cent for fractions";
    case Unit::pixel: return "pixels for fractions";
  }
  return "";
}

/// Whether the i-th number of this form is measured along x.
bool along_x(Form form, std::size_t i) {
  switch (form) {
    case Form::axes_exchanged:
    case Form::corners_exchanged: return i % 2 == 1;
    case Form::corner_pairs: return i < 2;
    case Form::sides_exchanged: return i == 0 || i == 3;
    default: return i % 2 == 0;
  }
}

double unit_of(const Layout& layout, std::size_t i, int width, int height) {
  switch (layout.unit) {
    case Unit::fraction: return 1;
    case Unit::percent: return 100;
    case Unit::pixel: return along_x(layout.form, i) ? width : height;
  }
  return 1;
}

CxcywhNormalized from_corners(double x1, double y1, double x2, double y2) {
  return {(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1};
}

CxcywhNormalized from_fractions(Form form, const Numbers& v) {
  switch (form) {
    case Form::centre: break;
    case Form::corners: return from_corners(v[0], v[1], v[2], v[3]);
    case Form::top_left: return {v[0] + v[2] / 2, v[1] + v[3] / 2, v[2], v[3]};
    case Form::axes_exchanged: return {v[1], v[0], v[3], v[2]};
    case Form::corners_exchanged: return from_corners(v[1], v[0], v[3], v[2]);
    case Form::corner_pairs: return from_corners(v[0], v[2], v[1], v[3]);
    case Form::size_first: return {v[2], v[3], v[0], v[1]};
    case Form::sides_exchanged: return {v[0], v[1], v[3], v[2]};
  }
  return {v[0], v[1], v[2], v[3]};
}

Numbers to_fractions(Form form, const CxcywhNormalized& b) {
  const double x1 = b.cx - b.w / 2, y1 = b.cy - b.h / 2, x2 = b.cx + b.w / 2, y2 = b.cy + b.h / 2;
  switch (form) {
    case Form::centre: break;
    case Form::corners: return {x1, y1, x2, y2};
    case Form::top_left: return {x1, y1, b.w, b.h};
    case Form::axes_exchanged: return {b.cy, b.cx, b.h, b.w};
    case Form::corners_exchanged: return {y1, x1, y2, x2};
    case Form::corner_pairs: return {x1, x2, y1, y2};
    case Form::size_first: return {b.w, b.h, b.cx, b.cy};
    case Form::sides_exchanged: return {b.cx, b.cy, b.h, b.w};
  }
  return {b.cx, b.cy, b.w, b.h};
}

}  // namespace

Layout layout_at(std::size_t i) {
  return {static_cast<Form>(i % form_count), static_cast<Unit>(i / form_count)};
}

std::string cause_of(const Layout& layout) {
  const std::string form = form_cause(layout.form), unit = unit_cause(layout.unit);
  if (form.empty() || unit.empty()) return form + unit;
  return unit + ", " + form;
}

std::optional<CxcywhNormalized> box_under(const Layout& layout, const Numbers& numbers, int width,
                                          int height, double slack) {
  Numbers fractions{};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    fractions[i] = numbers[i] / unit_of(layout, i, width, height);
  const CxcywhNormalized box = from_fractions(layout.form, fractions);
  for (const double value : {box.cx, box.cy, box.w, box.h})
    if (!std::isfinite(value)) return std::nullopt;
  if (box.w <= 0 || box.h <= 0) return std::nullopt;
  if (box.cx - box.w / 2 < -slack || box.cx + box.w / 2 > 1 + slack ||
      box.cy - box.h / 2 < -slack || box.cy + box.h / 2 > 1 + slack)
    return std::nullopt;
  return box;
}

Numbers numbers_under(const Layout& layout, const CxcywhNormalized& box, int width, int height) {
  Numbers numbers = to_fractions(layout.form, box);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] *= unit_of(layout, i, width, height);
  return numbers;
}

}  // namespace yolov7::dataset::doctor
