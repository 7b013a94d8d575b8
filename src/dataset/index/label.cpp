#include "dataset/index/label.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t box_columns = label_box_columns;

struct Fault {
  LabelFault kind = LabelFault::none;
  std::string reason;
};

Fault format_fault(std::string reason) { return {LabelFault::format, std::move(reason)}; }

std::string shown(std::string_view token) {
  constexpr std::size_t longest = 40;
  return token.size() <= longest ? std::string(token) : std::string(token.substr(0, longest)) + "…";
}

/// The numbers of one row. Bounds are compared as float32, the precision of the original format, so
/// that 1.00000001 is 1 (data 4).
Fault parse_numbers(const std::vector<std::string_view>& tokens, std::vector<double>& numbers) {
  numbers.clear();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto value = text::parse_double(tokens[i]);
    if (!value) {
      const char* hint = tokens[i].find(',') == std::string_view::npos
                             ? ""
                             : " (decimals are written with a point)";
      return format_fault(fmt::format("expected a number in column {}, found '{}'{}", i + 1,
                                      shown(tokens[i]), hint));
    }
    if (!std::isfinite(*value))
      return format_fault(fmt::format("expected a finite number in column {}, found '{}'", i + 1,
                                      shown(tokens[i])));
    if (static_cast<float>(*value) < 0)
      return format_fault(
          fmt::format("negative label values: '{}' in column {}", shown(tokens[i]), i + 1));
    if (i > 0 && static_cast<float>(*value) > 1)
      return format_fault(
          fmt::format("coordinates not normalised or out of range: '{}' in column {}",
                      shown(tokens[i]), i + 1));
    numbers.push_back(i == 0 ? *value : std::clamp(*value, 0.0, 1.0));
  }
  return {};
}

Fault check_class(double value, std::string_view token, int class_count) {
  if (value != std::floor(value))
    return format_fault(fmt::format("expected a whole class number, found '{}'", shown(token)));
  const double last = class_count > 0 ? class_count - 1 : std::numeric_limits<int>::max();
  if (value <= last) return {};
  return {LabelFault::class_out_of_range,
          fmt::format("class {} is out of range 0..{:.0f}", shown(token), last)};
}

void take_polygon(const std::vector<double>& numbers, Label& label) {
  double x1 = 1, y1 = 1, x2 = 0, y2 = 0;
  for (std::size_t i = 1; i + 1 < numbers.size(); i += 2) {
    const double x = numbers[i], y = numbers[i + 1];
    label.polygon.emplace_back(x, y);
    x1 = std::min(x1, x), x2 = std::max(x2, x), y1 = std::min(y1, y), y2 = std::max(y2, y);
  }
  label.box = {(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1};
}

/// Key points are not used, but nonsense among them says that the row is something else.
Fault check_key_points(const std::vector<std::string_view>& tokens) {
  for (std::size_t i = box_columns; i < tokens.size(); ++i) {
    const auto value = text::parse_double(tokens[i]);
    if (!value || !std::isfinite(*value))
      return format_fault(fmt::format("expected a key point's number in column {}, found '{}'",
                                      i + 1, shown(tokens[i])));
  }
  return {};
}

/// A row of a data set with key points: its box is columns 2 to 5.
Fault parse_pose_row(std::vector<std::string_view> tokens, int class_count, int columns,
                     Label& label) {
  const std::size_t whole = box_columns + static_cast<std::size_t>(columns);
  if (tokens.size() != box_columns && tokens.size() != whole)
    return format_fault(
        fmt::format("expected 5 columns per label, or {} with the key points of data.yaml's "
                    "kpt_shape, found {}",
                    whole, tokens.size()));
  if (Fault fault = check_key_points(tokens); fault.kind != LabelFault::none) return fault;
  tokens.resize(box_columns);
  std::vector<double> numbers;
  if (Fault fault = parse_numbers(tokens, numbers); fault.kind != LabelFault::none) return fault;
  if (Fault fault = check_class(numbers[0], tokens[0], class_count); fault.kind != LabelFault::none)
    return fault;
  label.class_index = static_cast<int>(numbers[0]);
  label.box = {numbers[1], numbers[2], numbers[3], numbers[4]};
  return {};
}

Fault parse_row(const std::vector<std::string_view>& tokens, int class_count, Label& label) {
  const bool polygon = tokens.size() >= least_polygon_columns && tokens.size() % 2 == 1;
  if (tokens.size() == box_columns + 1) {
    const auto last = text::parse_double(tokens.back());
    return format_fault(
        fmt::format("expected 5 columns per label, found 6: the last looks like a prediction's {}",
                    last && *last > 1 ? "track number" : "confidence"));
  }
  if (tokens.size() != box_columns && !polygon)
    return format_fault(fmt::format(
        "expected 5 columns per label (or an odd number from 7 for a polygon), found {}",
        tokens.size()));
  std::vector<double> numbers;
  if (Fault fault = parse_numbers(tokens, numbers); fault.kind != LabelFault::none) return fault;
  if (Fault fault = check_class(numbers[0], tokens[0], class_count); fault.kind != LabelFault::none)
    return fault;
  label.class_index = static_cast<int>(numbers[0]);
  if (polygon)
    take_polygon(numbers, label);
  else
    label.box = {numbers[1], numbers[2], numbers[3], numbers[4]};
  return {};
}

/// Equal keys mean equal rows: class, box and every polygon point.
std::string row_key(const Label& label) {
  std::string key;
  const auto add = [&key](double value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    key.append(bytes, sizeof value);
  };
  add(label.class_index);
  for (const double value : {label.box.cx, label.box.cy, label.box.w, label.box.h}) add(value);
  for (const cv::Point2d& point : label.polygon) add(point.x), add(point.y);
  return key;
}

/// Why a well-formed row is left out, or "".
std::string drop_reason(const Label& label, int line, std::unordered_map<std::string, int>& seen) {
  if (label.box.w <= 0 || label.box.h <= 0) return "box without area: width or height is 0";
  const auto [first, fresh] = seen.emplace(row_key(label), line);
  return fresh ? "" : fmt::format("duplicate labels: the same row as line {}", first->second);
}

/// The picture's path with the component at `position` exchanged for "labels", and the extension
/// .txt.
fs::path with_labels_at(const std::vector<fs::path>& parts, std::size_t position) {
  fs::path result;
  for (std::size_t i = 0; i < parts.size(); ++i)
    result /= i == position ? fs::path("labels") : parts[i];
  return result.replace_extension(".txt");
}

}  // namespace

std::string text_of(const Problem& problem) {
  if (problem.line > 0)
    return fmt::format("{}:{}: {}", problem.file.string(), problem.line, problem.reason);
  return fmt::format("{}: {}", problem.file.string(), problem.reason);
}

LabelFile try_parse_labels(std::string_view text, const fs::path& source, int class_count,
                           bool strict, int key_point_columns) {
  LabelFile result;
  std::unordered_map<std::string, int> seen;
  int line = 0;
  const auto fail = [&](LabelFault kind, std::string reason) {
    result.labels.clear();
    result.fault = kind;
    result.failure = {source, line, std::move(reason)};
  };
  for (const std::string_view row : text::lines(text)) {
    ++line;
    const auto tokens = text::split_blank(text::trim(row));
    if (tokens.empty()) continue;
    if (key_point_columns == 0) result.long_rows.add(tokens, source, line);
    if (result.fault == LabelFault::format) continue;  // what follows is looked at for its shape
    Label label;
    Fault fault = key_point_columns > 0
                      ? parse_pose_row(tokens, class_count, key_point_columns, label)
                      : parse_row(tokens, class_count, label);
    if (fault.kind == LabelFault::class_out_of_range)
      result.unknown_classes.push_back({source, line, fault.reason});
    if (result.fault != LabelFault::none) continue;
    if (fault.kind != LabelFault::none) {
      fail(fault.kind, std::move(fault.reason));
      continue;
    }
    if (key_point_columns > 0 && tokens.size() > box_columns) ++result.with_key_points;
    std::string reason = drop_reason(label, line, seen);
    if (reason.empty()) {
      result.labels.push_back(std::move(label));
    } else if (strict) {
      fail(LabelFault::format, std::move(reason));
    } else {
      result.dropped.push_back({source, line, std::move(reason)});
    }
  }
  return result;
}

LabelFile parse_labels(std::string_view text, const fs::path& source, int class_count, bool strict,
                       int key_point_columns) {
  LabelFile result = try_parse_labels(text, source, class_count, strict, key_point_columns);
  if (result.fault != LabelFault::none) throw Error(text_of(result.failure));
  return result;
}

std::string format_labels(const std::vector<Label>& labels) {
  std::string out;
  const auto add = [&out](double value) { out += fmt::format(" {}", static_cast<float>(value)); };
  for (const Label& label : labels) {
    out += fmt::format("{}", label.class_index);
    if (label.polygon.empty()) {
      for (const double value : {label.box.cx, label.box.cy, label.box.w, label.box.h}) add(value);
    } else {
      for (const cv::Point2d& point : label.polygon) add(point.x), add(point.y);
    }
    out += '\n';
  }
  return out;
}

fs::path label_path(const fs::path& picture) {
  const std::vector<fs::path> parts(picture.begin(), picture.end());
  std::optional<std::size_t> first_inner, last;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] != "images") continue;
    last = i;
    if (i > 0 && !first_inner) first_inner = i;  // the original rule wants a slash on both sides
  }
  if (!last) return fs::path(picture).replace_extension(".txt");
  const fs::path ours = with_labels_at(parts, *last);
  if (first_inner == last) return ours;
  std::error_code error;
  if (fs::exists(ours, error)) return ours;
  const fs::path original = first_inner ? with_labels_at(parts, *first_inner)
                                        : fs::path(picture).replace_extension(".txt");
  return fs::exists(original, error) ? original : ours;
}

}  // namespace yolov7::dataset
