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

std::string read_corners(const pugi::xml_node& object, Xyxy& box) {
  const pugi::xml_node node = object.child("bndbox");
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

VocObject read_object(const pugi::xml_node& node, std::string_view xml) {
  VocObject object;
  object.line = line_at(xml, node.offset_debug());
  object.name = child_text(node, "name");
  const std::string difficult = child_text(node, "difficult");
  object.difficult = !difficult.empty() && difficult != "0" && text::lower(difficult) != "false";
  object.fault = read_corners(node, object.box_px);
  if (object.name.empty()) object.fault = "no class name";
  return object;
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
  for (const pugi::xml_node& node : root.children("object")) {
    annotation.objects.push_back(read_object(node, xml));
    require_utf8(annotation.objects.back().name, source, annotation.objects.back().line);
  }
  return annotation;
}

}  // namespace yolov7::dataset
