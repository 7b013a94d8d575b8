#pragma once
// Label files as they are, before anything is refused: the doctor wants the numbers of the rows
// that training cannot use (data 3.2).
#include <string>
#include <string_view>
#include <vector>

#include "dataset/doctor/layouts.hpp"

namespace yolov7::dataset::doctor {

struct RawRow {
  int line = 0;  ///< from 1
  double class_number = 0;
  std::vector<double> values;  ///< behind the class; empty where the row cannot be read
  std::string key_points;      ///< behind a box, as they are written, a blank before each; or ""
  std::string unreadable;      ///< why it cannot be read, or ""
  std::string cause;           ///< of that, where it is known

  bool readable() const { return unreadable.empty(); }
  /// The whole part of the class number; -1 where it is none that an int holds.
  int class_index() const;
  bool is_box() const { return readable() && values.size() == 4; }
  Numbers numbers() const { return {values[0], values[1], values[2], values[3]}; }
};

/// Blank lines are left out. With `key_point_columns` above 0 a row of 5 + so many numbers is a
/// box, and none is a polygon, as in parse_labels(). `names`: a class given by its name is a cause
/// of its own.
std::vector<RawRow> read_rows(std::string_view text, const std::vector<std::string>& names,
                              int key_point_columns);
/// The extent of a polygon, or the box of a plain row; nothing where the row is neither.
std::optional<CxcywhNormalized> extent(const RawRow& row);

}  // namespace yolov7::dataset::doctor
