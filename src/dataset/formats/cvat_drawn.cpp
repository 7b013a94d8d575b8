#include "dataset/formats/cvat_drawn.hpp"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <set>

#include "core/error.hpp"

namespace yolov7::dataset {
namespace {

bool is(const pugi::xml_node& node, const char* name) { return std::string(node.name()) == name; }

/// Class and geometry, in the words of the file.
std::string words_of(const pugi::xml_node& shape) {
  std::string words = shape.name();
  for (const char* key : {"label", "xtl", "ytl", "xbr", "ybr", "cx", "cy", "rx", "ry", "points",
                          "rotation", "rle", "left", "top", "width", "height"})
    words += fmt::format("|{}", shape.attribute(key).value());
  return words;
}

bool belongs_to_a_box(const pugi::xml_node& skeleton, const pugi::xml_node& image) {
  const std::string group = skeleton.attribute("group_id").value();
  if (group.empty() || group == "0") return false;
  int boxes = 0, skeletons = 0;
  for (const pugi::xml_node& one : image.children())
    if (group == one.attribute("group_id").value()) ++(is(one, "skeleton") ? skeletons : boxes);
  return boxes == 1 && skeletons == 1;
}

std::size_t shapes_of(const pugi::xml_node& image) {
  std::set<std::string> known;
  std::size_t count = 0;
  for (const pugi::xml_node& one : image.children()) {
    if (one.type() != pugi::node_element || is(one, "tag")) continue;
    if (is(one, "skeleton"))
      count += belongs_to_a_box(one, image) ? 0 : 1;
    else
      count += known.insert(words_of(one)).second ? 1 : 0;
  }
  return count;
}

}  // namespace

std::map<std::string, std::size_t> cvat_drawn(const std::string& xml, const std::string& source) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.child("annotations");
  if (!parsed || !root)
    throw Error(
        fmt::format("{}: expected an export 'CVAT for images 1.1', found something else", source));
  std::map<std::string, std::size_t> counts;
  for (const pugi::xml_node& image : root.children("image"))
    counts[image.attribute("name").value()] += shapes_of(image);
  return counts;
}

}  // namespace yolov7::dataset
