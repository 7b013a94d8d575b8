#pragma once
// What label rows of more than five numbers are where data.yaml has no kpt_shape (data 3.4): only
// all rows together say whether they are polygons, boxes with key points, or tracks.
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::dataset {

inline constexpr std::size_t label_box_columns = 5, least_polygon_columns = 7;

/// What the rows of seven or more numbers may be. Filled row by row, then joined over all files.
struct LongRows {
  std::size_t rows = 0;
  std::size_t columns = 0;   ///< of the first row
  bool mixed = false;        ///< rows of several lengths: no key points, whose number is fixed
  std::size_t polygons = 0;  ///< rows that can be polygons
  std::size_t points2 = 0;   ///< rows whose numbers behind the box are points inside it
  std::size_t points3 = 0;   ///< rows where each third number behind the box is 0, 1 or 2
  std::size_t tracks = 0;    ///< box, a number from 0 to 1, a whole number
  std::size_t crossing = 0;  ///< of points2: rows that as polygons would cross themselves
  bool hidden_mark = false;  ///< a 2 among the third numbers of points3
  std::filesystem::path file;
  int line = 0;  ///< of the first row

  /// Rows of fewer numbers, and such with other texts than numbers, are passed over.
  void add(const std::vector<std::string_view>& tokens, const std::filesystem::path& source,
           int line);
  void join(const LongRows& other);
};

/// Whether the rows are boxes with key points; else they are polygons. Decided only where it is
/// certain:
///   - points of 3: all rows fit, and one mark is a 2, or there are six marks or more, or no row
///     can be a polygon;
///   - points of 2: all rows fit, and half of them, and two of them, would be polygons that cross
///     themselves;
///   - polygons: rows have several lengths, or fewer than 80 % of them can be anything else.
/// Errors, which name the first row and the cure: neither is certain; the rows are predictions with
/// track numbers.
bool hold_key_points(const LongRows& rows);

/// "all 12 rows of 11 numbers have 0, 1 or 2 …": why they are taken for key points.
std::string key_point_reason(const LongRows& rows);

}  // namespace yolov7::dataset
