#include "dataset/formats/cvat_skeletons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <pugixml.hpp>

#include "core/text.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::dataset {
namespace {

/// Where a point of a skeleton is drawn, in per cent: on a circle, the first one at its top.
Point drawn_at(std::size_t place, std::size_t count) {
  constexpr double middle = 50, radius = 40;
  const double turn =
      2 * std::numbers::pi * static_cast<double>(place) / static_cast<double>(count);
  return {middle + radius * std::sin(turn), middle - radius * std::cos(turn)};
}

/// Points are numbered from 1 in the drawing.
std::string drawing_of(const AnnotatedClass& one) {
  const std::size_t count = one.point_names.size();
  std::string drawing;
  for (const auto& [from, to] : one.joints) {
    const Point a = drawn_at(static_cast<std::size_t>(from), count),
                b = drawn_at(static_cast<std::size_t>(to), count);
    drawing += fmt::format(
        "<line x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\" stroke=\"black\" "
        "data-type=\"edge\" data-node-from=\"{}\" stroke-width=\"0.5\" "
        "data-node-to=\"{}\"></line>",
        a.x, a.y, b.x, b.y, from + 1, to + 1);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Point at = drawn_at(i, count);
    drawing += fmt::format(
        "<circle r=\"1.5\" stroke=\"black\" fill=\"#b3b3b3\" cx=\"{:.2f}\" cy=\"{:.2f}\" "
        "stroke-width=\"0.1\" data-type=\"element node\" data-element-id=\"{}\" "
        "data-node-id=\"{}\" data-label-name=\"{}\"></circle>",
        at.x, at.y, i + 1, i + 1, xml_text(one.point_names[i]));
  }
  return drawing;
}

}  // namespace

CvatSkeleton read_cvat_drawing(std::string_view drawing) {
  CvatSkeleton skeleton;
  pugi::xml_document document;
  const std::string whole = fmt::format("<svg>{}</svg>", drawing);
  if (!document.load_buffer(whole.data(), whole.size())) return skeleton;
  std::map<std::string, int> places;  // by the number of the point
  for (const pugi::xml_node& node : document.child("svg").children("circle")) {
    const std::string name = node.attribute("data-label-name").value();
    if (name.empty() || text::contains(skeleton.names, name)) continue;
    places.emplace(node.attribute("data-node-id").value(), static_cast<int>(skeleton.names.size()));
    skeleton.names.push_back(name);
  }
  for (const pugi::xml_node& line : document.child("svg").children("line")) {
    const auto from = places.find(line.attribute("data-node-from").value()),
               to = places.find(line.attribute("data-node-to").value());
    if (from != places.end() && to != places.end())
      skeleton.joints.emplace_back(from->second, to->second);
  }
  return skeleton;
}

std::vector<KeyPoint> read_cvat_skeleton(const pugi::xml_node& node) {
  std::vector<KeyPoint> points;
  for (const pugi::xml_node& child : node.children("points")) {
    const std::string_view written = child.attribute("points").value();
    const auto comma = written.find(',');
    KeyPoint point;
    point.name = child.attribute("label").value();
    point.hidden = is_yes(child.attribute("occluded").value());
    const bool known = std::any_of(points.begin(), points.end(),
                                   [&](const KeyPoint& other) { return other.name == point.name; });
    if (known || point.name.empty() || is_yes(child.attribute("outside").value()) ||
        comma == std::string_view::npos || !read_number(written.substr(0, comma), point.at.x) ||
        !read_number(written.substr(comma + 1), point.at.y))
      continue;
    points.push_back(std::move(point));
  }
  return points;
}

std::string cvat_skeleton_label(const AnnotatedSet& set, std::size_t class_index) {
  const std::vector<std::string> names = names_of(set);
  std::string label = names[class_index];
  do label += " skeleton";
  while (text::contains(names, label));
  return label;
}

std::string cvat_skeleton_labels_xml(const AnnotatedSet& set) {
  std::string out;
  for (std::size_t i = 0; i < set.classes.size(); ++i) {
    const AnnotatedClass& one = set.classes[i];
    if (one.point_names.empty()) continue;
    const std::string label = xml_text(cvat_skeleton_label(set, i));
    out += fmt::format(
        "        <label><name>{}</name><type>skeleton</type><attributes></attributes>"
        "<svg>{}</svg></label>\n",
        label, xml_text(drawing_of(one)));
    for (const std::string& name : one.point_names)
      out += fmt::format(
          "        <label><name>{}</name><type>points</type><attributes></attributes>"
          "<parent>{}</parent></label>\n",
          xml_text(name), label);
  }
  return out;
}

std::string cvat_skeleton_xml(const AnnotatedObject& object, const AnnotatedSet& set,
                              std::int64_t group) {
  const auto index = static_cast<std::size_t>(object.class_index);
  std::string out = fmt::format(
      "    <skeleton label=\"{}\" source=\"{}\" z_order=\"{}\" group_id=\"{}\">\n",
      xml_text(cvat_skeleton_label(set, index)),
      object.source.empty() ? "manual" : xml_text(object.source), object.z_order, group);
  for (const std::string& name : set.classes[index].point_names) {
    const auto found = std::find_if(object.key_points.begin(), object.key_points.end(),
                                    [&](const KeyPoint& point) { return point.name == name; });
    const bool labelled = found != object.key_points.end();
    const Point at = labelled ? found->at : Point{object.box.x1, object.box.y1};
    out += fmt::format(
        "      <points label=\"{}\" source=\"manual\" outside=\"{}\" occluded=\"{}\" "
        "points=\"{},{}\">\n      </points>\n",
        xml_text(name), labelled ? 0 : 1, labelled && found->hidden ? 1 : 0, number_text(at.x),
        number_text(at.y));
  }
  return out + "    </skeleton>\n";
}

}  // namespace yolov7::dataset
