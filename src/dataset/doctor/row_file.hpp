#pragma once
// Label files with rows of four numbers, and under which layouts these are boxes.
#include <array>
#include <optional>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

/// A picture with rows that have four numbers.
struct RowFile {
  const Picture* picture;
  std::vector<std::size_t> rows;          ///< places of those rows
  std::array<bool, layout_count> fits{};  ///< whether all are boxes under a layout
};

/// Of usable pictures with such rows.
std::vector<RowFile> row_files(const Subject& subject);
/// The box of a row, with the slack of its layout.
std::optional<CxcywhNormalized> row_box(const Picture& picture, const RawRow& row,
                                        const Layout& layout);
/// Numbers above this are no fractions of an image, whatever their layout.
inline constexpr double most_fraction = 1.5;
double largest_number(const RowFile& file);

}  // namespace yolov7::dataset::doctor
