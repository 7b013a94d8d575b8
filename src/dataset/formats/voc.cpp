#include "dataset/formats/voc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

int line_at(std::string_view xml, std::ptrdiff_t offset) {
  const auto end =
      std::min(xml.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
  return 1 + static_cast<int>(
                 std::count(xml.begin(), xml.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
}

std::string child_text(const pugi::xml_node& node, const char* name) {
  return std::string(text::trim(node.child(name).text().get()));
}

int whole_number(const pugi::xml_node& node, const char* name) {
  const auto value = text::parse_double(child_text(node, name));
  return value && *value >= 0 && *value < 1e9 ? static_cast<int>(*value) : 0;
}

std::string read_corners(const pugi::xml_node& node, Xyxy& box) {
  if (!node) return "no <bndbox>";
  const std::pair<const char*, double*> corners[] = {
      {"xmin", &box.x1}, {"ymin", &box.y1}, {"xmax", &box.x2}, {"ymax", &box.y2}};
  for (const auto& [name, target] : corners) {
    const std::string written = child_text(node, name);
    const auto value = text::parse_double(written);
    if (!value || !std::isfinite(*value))
      return fmt::format("expected a number in <{}>, found '{}'", name, written);
    *target = *value;
  }
  return "";
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

/// `box`: one of the object's, which may have several, or none.
VocObject read_object(const pugi::xml_node& node, const pugi::xml_node& box, std::string_view xml) {
  VocObject object;
  object.line = line_at(xml, node.offset_debug());
  object.name = child_text(node, "name");
  const std::string difficult = child_text(node, "difficult");
  object.difficult = !difficult.empty() && difficult != "0" && text::lower(difficult) != "false";
  object.fault = read_corners(box, object.box_px);
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
/// A box outside of an object becomes one that is left out. False: elements are nested deeper than
/// `levels`.
bool read_objects(const pugi::xml_node& node, std::string_view xml, int levels,
                  std::vector<VocObject>& objects) {
  if (levels == 0) return false;
  for (const pugi::xml_node& child : node.children()) {
    const std::string_view name = child.name();
    if (name == "object") {
      const auto boxes = child.children("bndbox");
      if (boxes.begin() == boxes.end()) objects.push_back(read_object(child, {}, xml));
      bool first = true;
      for (const pugi::xml_node& box : boxes) {
        objects.push_back(read_object(child, box, xml));
        if (!first) objects.back().line = line_at(xml, box.offset_debug());
        first = false;
      }
    } else if (name == "bndbox") {
      VocObject stray;
      stray.line = line_at(xml, child.offset_debug());
      stray.fault = "a <bndbox> outside of an <object>, so without a class";
      objects.push_back(std::move(stray));
    } else if (!read_objects(child, xml, levels - 1, objects)) {
      return false;
    }
  }
  return true;
}

void require_utf8(const std::string& value, const std::string& source, int line) {
  if (!text::is_utf8(value))
    throw Error(fmt::format("{}:{}: broken XML: text that is not UTF-8", source, line));
}

}  // namespace

std::string base_name(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

VocAnnotation parse_voc(std::string_view xml, const std::string& source) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(xml.data(), xml.size());
  if (!result)
    throw Error(fmt::format("{}:{}: broken XML: {}", source, line_at(xml, result.offset),
                            result.description()));
  const pugi::xml_node root = document.child("annotation");
  if (!root)
    throw Error(fmt::format("{}:1: expected <annotation> as the root, found <{}>", source,
                            document.document_element().name()));
  VocAnnotation annotation;
  annotation.folder = child_text(root, "folder");
  annotation.filename = base_name(child_text(root, "filename"));
  annotation.width = whole_number(root.child("size"), "width");
  annotation.height = whole_number(root.child("size"), "height");
  require_utf8(annotation.filename, source, 1);
  // Two runs of a tool may have been appended to one file: every root counts.
  for (const pugi::xml_node& one : document.children("annotation")) {
    const std::size_t before = annotation.objects.size();
    constexpr int most_levels = 100;
    if (!read_objects(one, xml, most_levels, annotation.objects))
      throw Error(fmt::format("{}:1: expected at most {} nested elements, found more", source,
                              most_levels));
    const std::string other = base_name(child_text(one, "filename"));
    if (other.empty() || other == annotation.filename) continue;
    for (std::size_t i = before; i < annotation.objects.size(); ++i)
      annotation.objects[i].fault =
          fmt::format("it stands under a second <annotation>, which is of another image ({})",
                      text::printable(other));
  }
  for (const VocObject& object : annotation.objects) require_utf8(object.name, source, object.line);
  return annotation;
}

}  // namespace yolov7::dataset
