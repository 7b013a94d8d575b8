#include "dataset/index/row_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

/// How far a box may lean out of its image, and a point out of its box (share of the box's side).
constexpr double image_slack = 0.01, box_slack = 0.05;
/// Below this share of rows that fit, a meaning is given up.
constexpr double least_share = 0.8;
/// So many marks of 0 or 1 alone are no chance among the coordinates of polygons.
constexpr std::size_t least_marks = 6;

using Numbers = std::vector<double>;

bool inside(double value, double low, double high) { return value >= low && value <= high; }

/// Columns 2 to 5 as a box within the image.
bool has_box(const Numbers& n) {
  const double low = -image_slack, high = 1 + image_slack;
  return n[3] > 0 && n[4] > 0 && inside(n[1] - n[3] / 2, low, high) &&
         inside(n[1] + n[3] / 2, low, high) && inside(n[2] - n[4] / 2, low, high) &&
         inside(n[2] + n[4] / 2, low, high);
}

/// A point that was not labelled is (0, 0).
bool in_box(const Numbers& n, double x, double y) {
  if (x == 0 && y == 0) return true;
  return std::abs(x - n[1]) <= n[3] * (0.5 + box_slack) &&
         std::abs(y - n[2]) <= n[4] * (0.5 + box_slack);
}

bool is_points2(const Numbers& n) {
  if ((n.size() - label_box_columns) % 2 != 0 || !has_box(n)) return false;
  for (std::size_t i = label_box_columns; i < n.size(); i += 2)
    if (!in_box(n, n[i], n[i + 1])) return false;
  return true;
}

bool is_points3(const Numbers& n, bool& hidden_mark) {
  if ((n.size() - label_box_columns) % 3 != 0 || !has_box(n)) return false;
  bool two = false;
  for (std::size_t i = label_box_columns; i < n.size(); i += 3) {
    const double mark = n[i + 2];
    if (!inside(n[i], -1, 2) || !inside(n[i + 1], -1, 2)) return false;
    if (mark != 0 && mark != 1 && mark != 2) return false;
    two = two || mark == 2;
  }
  hidden_mark = hidden_mark || two;
  return true;
}

bool is_track(const Numbers& n) {
  return n.size() == label_box_columns + 2 && has_box(n) && inside(n[5], 0, 1) && n[6] >= 0 &&
         n[6] == std::floor(n[6]);
}

bool is_polygon(const Numbers& n) {
  return n.size() % 2 == 1 &&
         std::all_of(n.begin() + 1, n.end(), [](double value) { return inside(value, -1, 2); });
}

double turn(const Numbers& n, std::size_t a, std::size_t b, std::size_t c) {
  return (n[b] - n[a]) * (n[c + 1] - n[a + 1]) - (n[b + 1] - n[a + 1]) * (n[c] - n[a]);
}

/// Whether two edges of the ring that do not meet at a corner cross.
bool crosses_itself(const Numbers& n) {
  const std::size_t corners = (n.size() - 1) / 2;
  constexpr std::size_t most_corners = 200;  // the work grows with the square
  if (corners > most_corners) return false;
  const auto at = [corners](std::size_t i) { return 1 + 2 * (i % corners); };
  for (std::size_t i = 0; i < corners; ++i)
    for (std::size_t j = i + 2; j < corners; ++j) {
      if (i == 0 && j + 1 == corners) continue;
      const std::size_t a = at(i), b = at(i + 1), c = at(j), d = at(j + 1);
      if (turn(n, a, b, c) * turn(n, a, b, d) < 0 && turn(n, c, d, a) * turn(n, c, d, b) < 0)
        return true;
    }
  return false;
}

bool likely(std::size_t part, const LongRows& rows) {
  return part > 0 && static_cast<double>(part) >= least_share * static_cast<double>(rows.rows);
}

bool certain_points3(const LongRows& rows) {
  const std::size_t marks = rows.rows * ((rows.columns - label_box_columns) / 3);
  return rows.points3 == rows.rows &&
         (rows.hidden_mark || marks >= least_marks || rows.polygons == 0);
}

bool certain_points2(const LongRows& rows) {
  return rows.points2 == rows.rows && rows.crossing >= 2 && rows.crossing * 2 >= rows.rows;
}

[[noreturn]] void refuse(const LongRows& rows, const std::string& meaning,
                         const std::string& cure) {
  throw Error(fmt::format("{}:{}: found {} columns, as in {} rows: {}; expected {}",
                          rows.file.string(), rows.line, rows.columns, rows.rows, meaning, cure));
}

[[noreturn]] void refuse_ambiguous(const LongRows& rows) {
  const std::string polygons = "kpt_shape: [0, 0] in data.yaml for polygons";
  const std::size_t size = likely(rows.points3, rows) ? 3 : 2;
  if (!likely(rows.points3, rows) && !likely(rows.points2, rows))
    refuse(rows, "polygons, or boxes with confidence and track number",
           polygons + ", or rows of 5 columns");
  refuse(rows, "polygons, or boxes with key points",
         fmt::format("kpt_shape: [{}, {}] in data.yaml for key points, or {}",
                     (rows.columns - label_box_columns) / size, size, polygons));
}

}  // namespace

void LongRows::add(const std::vector<std::string_view>& tokens, const std::filesystem::path& source,
                   int at_line) {
  if (mixed || tokens.size() < least_polygon_columns) return;
  if (rows > 0 && tokens.size() != columns) {
    mixed = true;
    return;
  }
  Numbers numbers;
  for (const std::string_view token : tokens) {
    const auto value = text::parse_double(token);
    if (!value || !std::isfinite(*value)) return;
    numbers.push_back(*value);
  }
  if (rows++ == 0) {
    columns = tokens.size();
    file = source;
    line = at_line;
  }
  polygons += is_polygon(numbers) ? 1 : 0;
  points3 += is_points3(numbers, hidden_mark) ? 1 : 0;
  tracks += is_track(numbers) ? 1 : 0;
  if (!is_points2(numbers)) return;
  ++points2;
  crossing += crosses_itself(numbers) ? 1 : 0;
}

void LongRows::join(const LongRows& other) {
  if (other.rows == 0) return;
  if (rows == 0) {
    *this = other;
    return;
  }
  mixed = mixed || other.mixed || columns != other.columns;
  rows += other.rows;
  polygons += other.polygons;
  points2 += other.points2;
  points3 += other.points3;
  tracks += other.tracks;
  crossing += other.crossing;
  hidden_mark = hidden_mark || other.hidden_mark;
}

bool hold_key_points(const LongRows& rows) {
  if (rows.rows == 0 || rows.mixed) return false;
  if (certain_points3(rows) || certain_points2(rows)) return true;
  const bool points = likely(rows.points2, rows) || likely(rows.points3, rows);
  if (rows.tracks == rows.rows && rows.polygons < rows.rows && !points)
    refuse(rows, "boxes with confidence and track number, which are predictions",
           "labels of 5 columns");
  if (rows.polygons > 0 && (points || likely(rows.tracks, rows))) refuse_ambiguous(rows);
  return false;
}

std::string key_point_reason(const LongRows& rows) {
  const std::string all = fmt::format("all {} rows of {} columns", rows.rows, rows.columns);
  return certain_points3(rows)
             ? all + " have 0, 1 or 2 as each third number behind a box, like key points"
             : all + " are points inside the box before them, like key points";
}

}  // namespace yolov7::dataset
