#pragma once
// The ways in which other programs write the four numbers of a box. A row that is no box of its
// own format is tried as each of them (data-services D1).
#include <array>
#include <optional>
#include <string>

#include "image/boxes/box.hpp"

namespace yolov7::dataset::doctor {

enum class Form {
  centre,             ///< cx cy w h: the format itself
  corners,            ///< x1 y1 x2 y2
  top_left,           ///< x1 y1 w h
  axes_exchanged,     ///< cy cx h w
  corners_exchanged,  ///< y1 x1 y2 x2
  corner_pairs,       ///< x1 x2 y1 y2
  size_first,         ///< w h cx cy
  sides_exchanged     ///< cx cy h w
};
enum class Unit { fraction, percent, pixel };

struct Layout {
  Form form = Form::centre;
  Unit unit = Unit::fraction;
  bool operator==(const Layout&) const = default;
  bool own() const { return *this == Layout{}; }
};

inline constexpr std::size_t layout_count = 24;
/// All of them; 0 is the format itself, fractions stand before the other units.
Layout layout_at(std::size_t i);
/// The fixed name of a cause: "corners for centre", "pixels for fractions", or both with a comma.
std::string cause_of(const Layout& layout);

/// The slack of a box of the format whose row is taken as it is: its centre is about in the image.
inline constexpr double half_outside = 0.5;

/// How far a box may reach out of its image, as a share of the side: rounding is less than the
/// first; people who draw over the border stay below the second.
inline constexpr double box_slack = 0.005, own_box_slack = 0.02;

using Numbers = std::array<double, 4>;
/// The box that these four numbers mean. Nothing where it has no area, or where it reaches out of
/// the image by more than `slack` of its side.
std::optional<CxcywhNormalized> box_under(const Layout& layout, const Numbers& numbers, int width,
                                          int height, double slack);
/// The numbers that a program of this layout writes for a box: the inverse of box_under().
Numbers numbers_under(const Layout& layout, const CxcywhNormalized& box, int width, int height);

}  // namespace yolov7::dataset::doctor
