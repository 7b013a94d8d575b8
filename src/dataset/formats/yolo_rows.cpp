#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/text.hpp"
#include "dataset/formats/yolo.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::size_t box_columns = label_box_columns;
/// Values beyond the edges occur (turned boxes lean out; six decimals round) and are clipped later.
/// Beyond these they are no fractions.
constexpr double least_fraction = -1, most_fraction = 2;

std::string shown(std::string_view token) {
  constexpr std::size_t longest = 40;
  const std::string text = text::printable(token.substr(0, longest));
  return token.size() <= longest ? text : text + "…";
}

/// The numbers of a row, or what is wrong with it.
std::string parse_numbers(const std::vector<std::string_view>& tokens, std::size_t fractions,
                          std::vector<double>& numbers) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto value = text::parse_double(tokens[i]);
    if (!value || !std::isfinite(*value))
      return fmt::format("expected a number in column {}, found '{}'{}", i + 1, shown(tokens[i]),
                         tokens[i].find(',') == std::string_view::npos
                             ? ""
                             : " (decimals are written with a point)");
    if (i > 0 && i < fractions && (*value < least_fraction || *value > most_fraction))
      return fmt::format(
          "coordinates not normalised or out of range: expected a fraction of the image in column "
          "{}, found '{}'",
          i + 1, shown(tokens[i]));
    numbers.push_back(*value);
  }
  const double number = numbers[0];
  if (number != std::floor(number) || number < 0 || number > std::numeric_limits<int>::max())
    return fmt::format("expected a whole class number, found '{}'", shown(tokens[0]));
  return "";
}

std::string take_box(const std::vector<double>& numbers, AnnotatedObject& object) {
  const double cx = numbers[1], cy = numbers[2], w = numbers[3], h = numbers[4];
  if (w < 0 || h < 0) return "negative label values: width or height is below 0";
  object.box = {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
  return "";
}

void take_polygon(const std::vector<double>& numbers, AnnotatedObject& object) {
  Ring ring;
  for (std::size_t i = 1; i + 1 < numbers.size(); i += 2)
    ring.push_back({numbers[i], numbers[i + 1]});
  object.rings.push_back(std::move(ring));
  object.box = box_around(object.rings);
}

/// A point at 0, 0 without a mark is one that nobody labelled (data 3.4).
void take_points(const std::vector<double>& numbers, int values, AnnotatedObject& object) {
  const auto step = static_cast<std::size_t>(values);
  for (std::size_t i = 0; box_columns + (i + 1) * step <= numbers.size(); ++i) {
    const double* at = &numbers[box_columns + i * step];
    const bool labelled = values == 3 ? at[2] != 0 : at[0] != 0 || at[1] != 0;
    if (labelled)
      object.key_points.push_back({point_number(i), {at[0], at[1]}, values == 3 && at[2] == 1});
  }
}

std::string parse_row(const std::vector<std::string_view>& tokens, const YoloRowOptions& options,
                      AnnotatedObject& object, YoloRows& rows) {
  const std::size_t count = tokens.size(), pose = box_columns + options.key_point_columns;
  const bool points = options.key_point_columns > 0 && count == pose;
  const bool scored = options.as_predictions && count == box_columns + 1;
  const bool polygon =
      !points && options.key_point_columns == 0 && count >= least_polygon_columns && count % 2 == 1;
  if (count != box_columns && !points && !scored && !polygon) {
    if (count == box_columns + 1)
      return "expected 5 columns per label, found 6: a prediction's score stands last "
             "(--as-predictions reads it)";
    if (options.key_point_columns > 0)
      return fmt::format(
          "expected 5 columns per label, or {} with the key points of kpt_shape, "
          "found {}",
          pose, count);
    return fmt::format(
        "expected 5 columns per label (or an odd number from 7 for a polygon), found {}", count);
  }
  std::vector<double> numbers;
  std::string fault = parse_numbers(tokens, polygon ? count : box_columns, numbers);
  if (!fault.empty()) return fault;
  object.class_index = static_cast<int>(numbers[0]);
  if (polygon) {
    take_polygon(numbers, object);
    rows.quads += count == 9 ? 1 : 0;
    return "";
  }
  if (scored) object.score = numbers[5];
  if (points) take_points(numbers, options.key_point_values, object);
  return take_box(numbers, object);
}

}  // namespace

YoloRows parse_yolo_rows(std::string_view text, const YoloRowOptions& options,
                         const std::filesystem::path& source) {
  YoloRows rows;
  int line = 0;
  for (const std::string_view row : text::lines(text)) {
    ++line;
    const auto tokens = text::split_blank(text::trim(row));
    if (tokens.empty()) continue;
    if (options.key_point_columns == 0) rows.long_rows.add(tokens, source, line);
    AnnotatedObject object;
    object.line = line;
    object.fault = parse_row(tokens, options, object, rows);
    rows.objects.push_back(std::move(object));
  }
  return rows;
}

bool is_yolo_text(std::string_view head) {
  for (const std::string_view row : text::lines(head)) {
    const auto tokens = text::split_blank(text::trim(row));
    if (tokens.empty()) continue;
    if (tokens.size() < box_columns) return false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto value = text::parse_double(tokens[i]);
      if (!value) return false;
      if (i == 0 && (*value != std::floor(*value) || *value < 0)) return false;
      if (i > 0 && i < box_columns && !(*value >= least_fraction && *value <= most_fraction))
        return false;
    }
    return true;
  }
  return false;
}

}  // namespace yolov7::dataset
