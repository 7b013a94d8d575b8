#include "dataset/formats/cvat_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <set>

#include "core/text.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/mask_runs.hpp"
#include "dataset/formats/object_json.hpp"

namespace yolov7::dataset {
namespace {

std::string read_points(std::string_view written, Ring& ring) {
  for (const std::string_view pair : text::split(written, ';')) {
    const auto comma = pair.find(',');
    Point point;
    if (comma == std::string_view::npos || !read_number(pair.substr(0, comma), point.x) ||
        !read_number(pair.substr(comma + 1), point.y))
      return fmt::format("expected points as x,y;x,y, found '{}'",
                         text::printable(pair.substr(0, 40)));
    ring.push_back(point);
  }
  return ring.size() < 3 ? "expected 3 points or more of a polygon" : "";
}

std::string read_numbers(const pugi::xml_node& node, const std::vector<const char*>& names,
                         std::vector<double>& numbers) {
  for (const char* name : names) {
    double value = 0;
    const std::string written = node.attribute(name).value();
    if (!read_number(written, value))
      return fmt::format("expected a number in {}, found '{}'", name,
                         text::printable(written.substr(0, 40)));
    numbers.push_back(value);
  }
  return "";
}

/// Runs row by row over a window of the image become runs down the columns of the image.
std::string read_mask(const pugi::xml_node& node, int width, int height, AnnotatedObject& object) {
  std::vector<double> window;
  if (std::string fault = read_numbers(node, {"left", "top", "width", "height"}, window);
      !fault.empty())
    return fault;
  const auto left = static_cast<std::int64_t>(window[0]),
             top = static_cast<std::int64_t>(window[1]);
  const auto w = static_cast<std::int64_t>(window[2]), h = static_cast<std::int64_t>(window[3]);
  if (left < 0 || top < 0 || w < 1 || h < 1 || left + w > width || top + h > height)
    return fmt::format("the window of a mask does not lie in its image of {} × {} px", width,
                       height);
  std::vector<bool> on(static_cast<std::size_t>(w * h));
  std::size_t at = 0;
  bool value = false;
  for (const std::string_view run : text::split(node.attribute("rle").value(), ',')) {
    const auto length = text::parse_int(text::trim(run));
    if (!length || *length < 0 || static_cast<std::size_t>(*length) > on.size() - at)
      return "the runs of a mask do not fit into its window";
    if (value) std::fill_n(on.begin() + static_cast<std::ptrdiff_t>(at), *length, true);
    at += static_cast<std::size_t>(*length);
    value = !value;
  }
  MaskRuns mask{width, height, {}};
  std::uint32_t length = 0;
  bool state = false;
  const auto add = [&](bool pixel, std::int64_t count) {
    if (pixel != state) mask.runs.push_back(length), length = 0, state = pixel;
    length += static_cast<std::uint32_t>(count);
  };
  add(false, left * height);
  for (std::int64_t x = 0; x < w; ++x) {
    add(false, top);
    for (std::int64_t y = 0; y < h; ++y) add(on[static_cast<std::size_t>(y * w + x)], 1);
    add(false, height - top - h);
  }
  add(false, (width - left - w) * height);
  mask.runs.push_back(length);
  object.box = box_of(mask);
  object.mask = std::move(mask);
  return "";
}

std::string read_geometry(const pugi::xml_node& node, int width, int height,
                          AnnotatedObject& object) {
  const std::string element = node.name();
  double degrees = 0;
  if (const pugi::xml_attribute rotation = node.attribute("rotation"))
    if (!read_number(rotation.value(), degrees))
      return fmt::format("expected a number in rotation, found '{}'",
                         text::printable(rotation.value()));
  std::vector<double> n;
  std::string fault;
  if (element == "box") {
    fault = read_numbers(node, {"xtl", "ytl", "xbr", "ybr"}, n);
    if (!fault.empty()) return fault;
    object.box = {n[0], n[1], n[2], n[3]};
    if (degrees != 0) {
      object.rotation = Rotation{object.box, degrees};
      object.box = box_around({corners_of(*object.rotation)});
    }
  } else if (element == "ellipse") {
    fault = read_numbers(node, {"cx", "cy", "rx", "ry"}, n);
    if (fault.empty()) object.box = box_of_ellipse(n[0], n[1], n[2], n[3], degrees);
  } else if (element == "mask") {
    fault = read_mask(node, width, height, object);
  } else {
    Ring ring;
    fault = read_points(node.attribute("points").value(), ring);
    object.box = box_around({ring});
    object.rings.push_back(std::move(ring));
  }
  return fault;
}

void collect_labels(const pugi::xml_node& node, CvatLabels& labels) {
  for (const pugi::xml_node& child : node.children()) {
    if (std::string_view(child.name()) != "labels") {
      collect_labels(child, labels);
      continue;
    }
    for (const pugi::xml_node& label : child.children("label")) {
      const std::string name = child_text(label, "name");
      if (!child_text(label, "parent").empty() || name.empty()) continue;
      if (child_text(label, "type") == "skeleton") {
        labels.skeletons[name] = read_cvat_drawing(label.child("svg").text().get());
        continue;
      }
      if (!text::contains(labels.names, name)) labels.names.push_back(name);
      for (const pugi::xml_node& one : label.child("attributes").children("attribute"))
        labels.input_types[{name, child_text(one, "name")}] = child_text(one, "input_type");
    }
  }
}

std::vector<Attribute> written_attributes(const AnnotatedObject& object, CvatPoints points) {
  std::vector<Attribute> list = object.attributes;
  for (const Mark& mark : marks)
    if (object.*mark.member && mark.member != &AnnotatedObject::occluded)
      list.push_back({mark.name, true});
  if (object.score) list.push_back({"score", *object.score});
  if (points == CvatPoints::attributes && !object.key_points.empty())
    list.push_back({key_points_name, key_points_text(object)});
  return list;
}

}  // namespace

CvatLabels read_cvat_labels(const pugi::xml_node& meta) {
  CvatLabels labels;
  collect_labels(meta, labels);
  return labels;
}

bool is_cvat(const SourceTree& tree, const std::filesystem::path& file, const char* element) {
  if (tree.head(file, 4096).find("<annotations") == std::string::npos) return false;
  std::string text;
  for (std::size_t bytes : {std::size_t{1} << 16, std::size_t{64} << 20}) {
    text = tree.head(file, bytes);
    if (text.find(std::string("<") + element + " ") != std::string::npos) return true;
    if (text.size() < bytes) break;
  }
  return false;
}

bool is_cvat_box(const std::string& element) {
  return element == "box" || element == "polygon" || element == "ellipse" || element == "mask";
}

AnnotatedObject read_cvat_shape(const pugi::xml_node& node, const LineTable& lines, int width,
                                int height) {
  AnnotatedObject object;
  object.line = lines.of(node);
  object.fault = read_geometry(node, width, height, object);
  object.occluded = is_yes(node.attribute("occluded").value());
  double z = 0;
  if (read_number(node.attribute("z_order").value(), z) && std::abs(z) < 1e9)
    object.z_order = static_cast<int>(z);
  object.group = node.attribute("group_id").value();
  object.source = node.attribute("source").value();
  return object;
}

void take_cvat_attributes(const pugi::xml_node& node, const std::string& label,
                          const CvatLabels& labels, AnnotatedObject& object) {
  for (const pugi::xml_node& child : node.children("attribute")) {
    const std::string name = child.attribute("name").value();
    const std::string written(text::trim(child.text().get()));
    const auto type = labels.input_types.find({label, name});
    AttributeValue value = written;
    double number = 0;
    if (type != labels.input_types.end() && type->second == "checkbox")
      value = is_yes(written);
    else if (type != labels.input_types.end() && type->second == "number" &&
             read_number(written, number))
      value = number;
    Attribute one{name, std::move(value)};
    // The format has an attribute of its own for what is occluded.
    if (name != "occluded" && take_mark(one, object)) continue;
    if (take_key_points(one, object)) continue;
    if (name == "score" && read_number(written, number))
      object.score = number;
    else
      object.attributes.push_back(std::move(one));
  }
}

void take_cvat_label(const std::string& label, const CvatLabels& labels, AnnotatedSet& set,
                     std::map<std::string, int>& index, AnnotatedObject& object) {
  if (label.empty()) {
    if (object.fault.empty()) object.fault = "no class name: its label is empty";
  } else if (!labels.names.empty() && !text::contains(labels.names, label)) {
    if (object.fault.empty())
      object.fault =
          fmt::format("the label '{}' is not among those of the file", text::printable(label));
  } else {
    object.class_index = class_named(set, index, label);
  }
}

std::string cvat_labels_xml(const AnnotatedSet& set, CvatPoints points) {
  std::vector<std::map<std::string, std::set<std::size_t>>> attributes(set.classes.size());
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects)
      for (const Attribute& one : written_attributes(object, points))
        attributes[static_cast<std::size_t>(object.class_index)][one.name].insert(
            one.value.index());
  std::string out = "<labels>\n";
  for (std::size_t i = 0; i < set.classes.size(); ++i) {
    out += fmt::format("        <label><name>{}</name><attributes>", xml_text(set.classes[i].name));
    for (const auto& [name, types] : attributes[i]) {
      const std::size_t only = types.size() == 1 ? *types.begin() : 2;
      // CVAT wants bounds of numbers; text takes any.
      out += fmt::format(
          "<attribute><name>{}</name><mutable>True</mutable><input_type>{}</input_type>"
          "<default_value>{}</default_value><values>{}</values></attribute>",
          xml_text(name),
          only == 0   ? "checkbox"
          : only == 1 ? "number"
                      : "text",
          only == 0 ? "false" : "", only == 0 ? "false" : "");
    }
    out += "</attributes></label>\n";
  }
  if (points == CvatPoints::skeletons) out += cvat_skeleton_labels_xml(set);
  return out + "      </labels>";
}

CvatShapeText cvat_shape_text(const AnnotatedObject& object, CvatPoints points) {
  CvatShapeText text;
  const Ring* polygon = object.rotation ? nullptr : sole_polygon(object);
  if (polygon != nullptr) {
    text.element = "polygon";
    std::string corners;
    for (const Point& p : *polygon)
      corners += (corners.empty() ? "" : ";") + number_text(p.x) + "," + number_text(p.y);
    text.geometry = fmt::format("points=\"{}\"", corners);
  } else {
    text.element = "box";
    const Xyxy& box = object.rotation ? object.rotation->box : object.box;
    text.geometry = fmt::format("xtl=\"{}\" ytl=\"{}\" xbr=\"{}\" ybr=\"{}\"", number_text(box.x1),
                                number_text(box.y1), number_text(box.x2), number_text(box.y2));
    if (object.rotation)
      text.geometry += fmt::format(" rotation=\"{}\"", number_text(object.rotation->degrees));
  }
  for (const Attribute& one : written_attributes(object, points))
    text.children += fmt::format("      <attribute name=\"{}\">{}</attribute>\n",
                                 xml_text(one.name), xml_text(text_of(one.value)));
  return text;
}

}  // namespace yolov7::dataset
