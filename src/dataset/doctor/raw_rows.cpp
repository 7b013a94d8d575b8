#include "dataset/doctor/raw_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr std::size_t box_columns = 5, least_polygon_columns = 7;

std::string shown(std::string_view token) {
  constexpr std::size_t longest = 40;
  return token.size() <= longest ? std::string(token) : std::string(token.substr(0, longest)) + "…";
}

std::vector<std::string> separated_by(std::string_view row, char separator) {
  std::vector<std::string> parts;
  for (const std::string_view part : text::split(row, separator))
    parts.emplace_back(text::trim(part));
  return parts;
}

bool all_numbers(const std::vector<std::string>& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [](const std::string& part) { return text::parse_double(part).has_value(); });
}

/// Why a row with this token in this column is no row, and what the likely cause is.
void explain_token(std::string_view row, std::string_view token, std::size_t column,
                   const std::vector<std::string>& names, RawRow& result) {
  result.unreadable =
      fmt::format("expected a number in column {}, found '{}'", column + 1, shown(token));
  const bool has_comma = token.find(',') != std::string_view::npos;
  const auto by_commas = separated_by(row, ',');
  if (by_commas.size() >= box_columns && all_numbers(by_commas)) {
    result.cause = "commas between columns";
  } else if (has_comma) {
    std::string with_point(token);
    std::replace(with_point.begin(), with_point.end(), ',', '.');
    if (text::parse_double(with_point)) result.cause = "decimal comma";
  } else if (column == 0 && text::contains(names, token)) {
    result.cause = "class name for class number";
  }
}

void explain_count(RawRow& row, std::size_t columns, int key_point_columns) {
  row.unreadable =
      key_point_columns > 0
          ? fmt::format("expected 5 columns per label, or {} with its key points, found {}",
                        box_columns + static_cast<std::size_t>(key_point_columns), columns)
          : fmt::format(
                "expected 5 columns per label (or an odd number from 7 for a polygon), found {}",
                columns);
  if (columns == 6 && row.values.back() >= 0 && row.values.back() <= 1)
    row.cause = "a score behind the box: a file of predictions";
  else if (columns == 4)
    row.cause = "no class in front of the box";
  row.values.clear();
}

RawRow read_row(std::string_view row, int line, const std::vector<std::string>& names,
                int key_point_columns) {
  RawRow result;
  result.line = line;
  const auto tokens = text::split_blank(row);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto value = text::parse_double(tokens[i]);
    if (!value || !std::isfinite(*value)) {
      explain_token(row, tokens[i], i, names, result);
      result.values.clear();
      return result;
    }
    if (i == 0)
      result.class_number = *value;
    else
      result.values.push_back(*value);
  }
  if (key_point_columns > 0 &&
      tokens.size() == box_columns + static_cast<std::size_t>(key_point_columns)) {
    result.values.resize(box_columns - 1);
    for (std::size_t i = box_columns; i < tokens.size(); ++i)
      (result.key_points += ' ') += tokens[i];
  }
  const bool polygon =
      key_point_columns == 0 && tokens.size() >= least_polygon_columns && tokens.size() % 2 == 1;
  if (result.values.size() != box_columns - 1 && !polygon)
    explain_count(result, tokens.size(), key_point_columns);
  return result;
}

}  // namespace

int RawRow::class_index() const {
  constexpr double beyond = std::numeric_limits<int>::max();
  return class_number > -beyond && class_number < beyond ? static_cast<int>(class_number) : -1;
}

std::vector<RawRow> read_rows(std::string_view text, const std::vector<std::string>& names,
                              int key_point_columns) {
  std::vector<RawRow> rows;
  int line = 0;
  for (const std::string_view raw : text::lines(text)) {
    ++line;
    const std::string_view row = text::trim(raw);
    if (!row.empty()) rows.push_back(read_row(row, line, names, key_point_columns));
  }
  return rows;
}

std::optional<CxcywhNormalized> extent(const RawRow& row) {
  if (row.is_box())
    return CxcywhNormalized{row.values[0], row.values[1], row.values[2], row.values[3]};
  if (!row.readable() || row.values.size() < 6) return std::nullopt;
  double x1 = row.values[0], x2 = x1, y1 = row.values[1], y2 = y1;
  for (std::size_t i = 0; i + 1 < row.values.size(); i += 2) {
    x1 = std::min(x1, row.values[i]), x2 = std::max(x2, row.values[i]);
    y1 = std::min(y1, row.values[i + 1]), y2 = std::max(y2, row.values[i + 1]);
  }
  return CxcywhNormalized{(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1};
}

}  // namespace yolov7::dataset::doctor
