#include "versions/annotations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/yolo.hpp"

namespace yolov7::versions {
using nlohmann::json;
namespace {

constexpr std::string_view yolo_title = "yolo", objects_title = "objects", odd_mark = "? ";

/// The shortest decimals that give the same double.
void append_number(std::string& out, double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value == 0 ? 0.0 : value).ptr;
  out.append(digits, end);
}

/// The row in its canonical form; false where a token is no finite number.
bool append_row(std::string& out, std::string_view row) {
  const std::size_t before = out.size();
  for (const std::string_view token : text::split_blank(row)) {
    const auto value = text::parse_double(token);
    if (!value || !std::isfinite(*value)) {
      out.resize(before);
      return false;
    }
    if (out.size() > before) out += ' ';
    append_number(out, *value);
  }
  return true;
}

Shape shape_of_row(std::string_view row, int key_point_columns) {
  Shape shape;
  shape.row = row;
  if (row.starts_with(odd_mark)) return shape;
  const dataset::YoloRows rows =
      dataset::parse_yolo_rows(row, {static_cast<std::size_t>(key_point_columns), false});
  if (rows.objects.size() != 1 || !rows.objects[0].fault.empty()) return shape;
  const dataset::AnnotatedObject& object = rows.objects[0];
  shape.is_box = true;
  shape.class_index = object.class_index;
  shape.box = {object.box.x1, object.box.y1, object.box.x2, object.box.y2};
  return shape;
}

json box_json(const Xyxy& box) {
  return {dataset::tidy(box.x1), dataset::tidy(box.y1), dataset::tidy(box.x2),
          dataset::tidy(box.y2)};
}

Shape shape_of_object(std::string_view row, double width, double height,
                      const std::string& source) {
  const json object = parse_json(row, source);
  const auto box = dataset::numbers_of(dataset::member(object, "box"));
  const auto class_index = dataset::number_at(object, "class");
  if (!box || box->size() != 4 || !class_index || *class_index < 0 || *class_index > 1e6)
    throw Error(fmt::format("{}: expected an object with class and box, found '{}'", source,
                            text::printable(row.substr(0, 80))));
  Shape shape;
  shape.is_box = true;
  shape.class_index = static_cast<int>(*class_index);
  shape.box = {(*box)[0] / width, (*box)[1] / height, (*box)[2] / width, (*box)[3] / height};
  shape.row = row;
  return shape;
}

std::vector<std::string_view> lines_of(std::string_view text, const std::string& source) {
  if (text.empty() || text.back() != '\n')
    throw Error(fmt::format("{}: expected annotations, found '{}'", source,
                            text::printable(text.substr(0, 80))));
  text.remove_suffix(1);
  return text::split(text, '\n');
}

}  // namespace

double iou(const ShapeBox& a, const ShapeBox& b) {
  const double w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const double h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  const double both = w * h;
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
}

LabelText text_of_labels(std::string_view content) {
  LabelText result;
  result.text = fmt::format("{}\n", yolo_title);
  for (const std::string_view raw : text::lines(content)) {
    const std::string_view row = text::trim(raw);
    if (row.empty()) continue;
    ++result.rows;
    if (!append_row(result.text, row)) {
      ++result.odd;
      result.text += odd_mark;
      result.text += row;
    }
    result.text += '\n';
  }
  return result;
}

std::string labels_of_text(std::string_view text) {
  std::string out;
  const auto lines = lines_of(text, "annotations");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    out += lines[i].starts_with(odd_mark) ? lines[i].substr(odd_mark.size()) : lines[i];
    out += '\n';
  }
  return out;
}

std::string text_of_image(const dataset::AnnotatedImage& image) {
  json head = {{"width", image.width}, {"height", image.height}};
  if (!image.id.empty()) head["id"] = image.id;
  if (!image.tags.empty()) head["tags"] = dataset::attributes_json(image.tags);
  if (image.state == dataset::ImageState::not_annotated) head["not_annotated"] = true;
  std::string out = fmt::format("{}\n{}\n", objects_title, json_text(head));
  for (const dataset::AnnotatedObject& object : image.objects) {
    json row = dataset::properties_json(object, true);
    row["class"] = object.class_index;
    row["box"] = box_json(object.box);
    out += json_text(row) + '\n';
  }
  return out;
}

Annotations parse_annotations(std::string_view text, int key_point_columns,
                              const std::string& source) {
  const auto lines = lines_of(text, source);
  Annotations result;
  result.yolo = lines[0] == yolo_title;
  result.key_point_columns = key_point_columns;
  if (result.yolo) {
    for (std::size_t i = 1; i < lines.size(); ++i)
      result.shapes.push_back(shape_of_row(lines[i], key_point_columns));
    return result;
  }
  if (lines[0] != objects_title || lines.size() < 2)
    throw Error(fmt::format("{}: expected annotations, found '{}'", source,
                            text::printable(lines[0].substr(0, 80))));
  result.image = lines[1];
  const json head = parse_json(result.image, source);
  const double width = std::max(1, dataset::size_at(head, "width")),
               height = std::max(1, dataset::size_at(head, "height"));
  for (std::size_t i = 2; i < lines.size(); ++i)
    result.shapes.push_back(shape_of_object(lines[i], width, height, source));
  return result;
}

std::string text_of(const Annotations& annotations) {
  std::string out = annotations.yolo ? fmt::format("{}\n", yolo_title)
                                     : fmt::format("{}\n{}\n", objects_title, annotations.image);
  for (const Shape& shape : annotations.shapes) out += shape.row + '\n';
  return out;
}

std::size_t row_count(std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const std::size_t head = text.starts_with(objects_title) ? 2 : 1;
  return lines - std::min(lines, head);
}

std::size_t odd_row_count(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find("\n? "); at != std::string_view::npos; at = text.find("\n? ", at + 1))
    ++count;
  return count;
}

void put_annotations(const Annotations& annotations, int key_point_values,
                     dataset::AnnotatedImage& image, std::size_t& left_out) {
  const int width = image.width, height = image.height;
  if (!annotations.image.empty()) {
    const json head = parse_json(annotations.image, "annotations");
    image.id = dataset::id_at(head, "id");
    if (const json* tags = dataset::member(head, "tags"))
      image.tags = dataset::attributes_of(*tags);
    if (dataset::flag_at(head, "not_annotated")) image.state = dataset::ImageState::not_annotated;
  }
  for (const Shape& shape : annotations.shapes) {
    if (!shape.is_box) {
      ++left_out;
      continue;
    }
    dataset::AnnotatedObject object;
    object.class_index = shape.class_index;
    object.box = {shape.box.x1 * width, shape.box.y1 * height, shape.box.x2 * width,
                  shape.box.y2 * height};
    if (annotations.yolo) {
      dataset::YoloRows rows = dataset::parse_yolo_rows(
          shape.row, {static_cast<std::size_t>(annotations.key_point_columns), false,
                      std::max(key_point_values, 2)});
      if (rows.objects.size() == 1) {
        object.rings = std::move(rows.objects[0].rings);
        object.key_points = std::move(rows.objects[0].key_points);
      }
      for (dataset::KeyPoint& point : object.key_points) point.at.x *= width, point.at.y *= height;
      for (dataset::Ring& ring : object.rings)
        for (dataset::Point& point : ring) point.x *= width, point.y *= height;
    } else {
      const json row = parse_json(shape.row, "annotations");
      const auto box = *dataset::numbers_of(dataset::member(row, "box"));
      object.box = {box[0], box[1], box[2], box[3]};
      dataset::take_properties(row, object);
    }
    image.objects.push_back(std::move(object));
  }
  if (image.state != dataset::ImageState::not_annotated && image.objects.empty())
    image.state = dataset::ImageState::empty_on_purpose;
}

}  // namespace yolov7::versions
