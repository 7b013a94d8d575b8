#include "dataset/formats/voc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace {

std::string read_corners(const pugi::xml_node& node, Xyxy& box) {
  if (!node) return "no <bndbox>";
  const std::pair<const char*, double*> corners[] = {
      {"xmin", &box.x1}, {"ymin", &box.y1}, {"xmax", &box.x2}, {"ymax", &box.y2}};
  for (const auto& [name, target] : corners) {
    const std::string written = child_text(node, name);
    if (!read_number(written, *target))
      return fmt::format("expected a number in <{}>, found '{}'", name, written);
  }
  return "";
}

/// Labelling programs write corners the wrong way round, too.
void put_in_order(VocObject& object) {
  Xyxy& box = object.box_px;
  object.swapped = box.x1 > box.x2 || box.y1 > box.y2;
  if (box.x1 > box.x2) std::swap(box.x1, box.x2);
  if (box.y1 > box.y2) std::swap(box.y1, box.y2);
}

/// The value of an entity of the file's own document type, where the name is one: pugixml leaves
/// "&cat;" as it stands. Empty: no such entity, or one of another file (SYSTEM, PUBLIC).
std::string entity_value(const std::string& name, std::string_view xml) {
  const std::string begin = fmt::format("<!ENTITY {} ", name.substr(1, name.size() - 2));
  const auto at = xml.find(begin);
  if (at == std::string_view::npos) return {};
  const auto open = xml.find_first_not_of(" \t\r\n", at + begin.size());
  if (open == std::string_view::npos || (xml[open] != '"' && xml[open] != '\'')) return {};
  const auto close = xml.find(xml[open], open + 1);
  if (close == std::string_view::npos) return {};
  const std::string value(text::trim(xml.substr(open + 1, close - open - 1)));
  return value.find_first_of("<&%") == std::string::npos ? value : std::string();
}

struct VocText {
  std::string_view xml;
  LineTable lines;
};

bool is_set(const pugi::xml_node& node, const char* name) {
  const std::string written = child_text(node, name);
  return !written.empty() && written != "0" && text::lower(written) != "false";
}

void read_attributes(const pugi::xml_node& node, VocObject& object) {
  if (const std::string pose = child_text(node, "pose");
      !pose.empty() && text::lower(pose) != "unspecified")
    object.attributes.push_back({"pose", pose});
  for (const pugi::xml_node& one : node.child("attributes").children("attribute"))
    object.attributes.push_back({child_text(one, "name"), child_text(one, "value")});
}

/// <polygon><x1/><y1/><x2/><y2/>…; one that is broken is none.
void read_polygon(const pugi::xml_node& polygon, VocObject& object) {
  Ring ring;
  for (int i = 1; polygon; ++i) {
    const std::string x = fmt::format("x{}", i), y = fmt::format("y{}", i);
    if (!polygon.child(x.c_str())) break;
    Point point;
    if (!read_number(child_text(polygon, x.c_str()), point.x) ||
        !read_number(child_text(polygon, y.c_str()), point.y))
      return;
    ring.push_back(point);
  }
  if (ring.size() >= 3) object.rings.push_back(std::move(ring));
}

/// `box`: one of the object's, which may have several, or none.
VocObject read_object(const pugi::xml_node& node, const pugi::xml_node& box, const VocText& file) {
  const std::string_view xml = file.xml;
  VocObject object;
  object.line = file.lines.of(node);
  object.name = child_text(node, "name");
  object.difficult = is_set(node, "difficult");
  object.truncated = is_set(node, "truncated");
  object.occluded = is_set(node, "occluded");
  read_attributes(node, object);
  read_polygon(node.child("polygon"), object);
  object.fault = read_corners(box, object.box_px);
  if (object.fault.empty()) put_in_order(object);
  if (object.name.empty()) object.fault = "no class name";
  const bool entity = object.name.size() > 2 && object.name.front() == '&' &&
                      object.name.back() == ';' && xml.find("<!DOCTYPE") != std::string_view::npos;
  if (!entity) return object;
  const std::string value = entity_value(object.name, xml);
  if (value.empty())
    object.fault = fmt::format("the class is the entity {}, which the file does not define as text",
                               object.name);
  else
    object.name = value;
  return object;
}

/// All objects below `node`, one for each of their boxes. The <part>s of an object are not objects.
/// A box outside of an object becomes one that is left out. parse_xml() has bounded the nesting.
void read_objects(const pugi::xml_node& node, const VocText& file,
                  std::vector<VocObject>& objects) {
  for (const pugi::xml_node& child : node.children()) {
    const std::string_view name = child.name();
    if (name == "object") {
      const auto boxes = child.children("bndbox");
      if (boxes.begin() == boxes.end()) objects.push_back(read_object(child, {}, file));
      bool first = true;
      for (const pugi::xml_node& box : boxes) {
        objects.push_back(read_object(child, box, file));
        if (!first) objects.back().line = file.lines.of(box);
        first = false;
      }
    } else if (name == "bndbox") {
      VocObject stray;
      stray.line = file.lines.of(child);
      stray.fault = "a <bndbox> outside of an <object>, so without a class";
      objects.push_back(std::move(stray));
    } else {
      read_objects(child, file, objects);
    }
  }
}

}  // namespace

bool is_voc_text(std::string_view head) {
  const auto root = head.find("<annotation");
  if (root == std::string_view::npos || head.substr(root).starts_with("<annotations")) return false;
  return head.find("<bndbox") != std::string_view::npos ||
         (head.find("<filename") != std::string_view::npos &&
          head.find("<imagesize") == std::string_view::npos &&
          head.find("<pt>") == std::string_view::npos);
}

std::string base_name(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

VocAnnotation parse_voc(std::string_view xml, const std::string& source) {
  pugi::xml_document document;
  parse_xml(xml, source, document);
  const pugi::xml_node root = document.child("annotation");
  if (!root)
    throw Error(fmt::format("{}:1: expected <annotation> as the root, found <{}>", source,
                            document.document_element().name()));
  VocAnnotation annotation;
  annotation.folder = child_text(root, "folder");
  annotation.filename = base_name(child_text(root, "filename"));
  annotation.database = child_text(root.child("source"), "database");
  annotation.width = whole_number(child_text(root.child("size"), "width"));
  annotation.height = whole_number(child_text(root.child("size"), "height"));
  const VocText file{xml, LineTable(xml)};
  // Two runs of a tool may have been appended to one file: every root counts.
  for (const pugi::xml_node& one : document.children("annotation")) {
    const std::size_t before = annotation.objects.size();
    read_objects(one, file, annotation.objects);
    const std::string other = base_name(child_text(one, "filename"));
    if (other.empty() || other == annotation.filename) continue;
    for (std::size_t i = before; i < annotation.objects.size(); ++i)
      annotation.objects[i].fault =
          fmt::format("it stands under a second <annotation>, which is of another image ({})",
                      text::printable(other));
  }
  return annotation;
}

}  // namespace yolov7::dataset
