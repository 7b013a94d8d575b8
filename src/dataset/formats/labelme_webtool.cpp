// LabelMe's old web tool, which CVAT calls "LabelMe 3.0": one XML per image with polygons in whole
// pixels.
#include <fmt/format.h>

#include <pugixml.hpp>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/voc.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool is_webtool(std::string_view head) {
  const auto has = [&](const char* word) { return head.find(word) != std::string_view::npos; };
  const auto root = head.find("<annotation");
  return root != std::string_view::npos && !head.substr(root).starts_with("<annotations") &&
         !is_voc_text(head) && (has("<imagesize") || has("<pt>") || has("<segm>"));
}

bool detect(const SourceTree& tree) {
  std::size_t looked = 0;
  for (const fs::path& file : tree.with_extension(".xml")) {
    if (is_webtool(tree.head(file))) return true;
    if (++looked == 1000) break;
  }
  return false;
}

std::string read_polygon(const pugi::xml_node& polygon, Ring& ring) {
  for (const pugi::xml_node& point : polygon.children("pt")) {
    Point p;
    const std::string x = child_text(point, "x"), y = child_text(point, "y");
    if (!read_number(x, p.x) || !read_number(y, p.y))
      return fmt::format("expected a point's x and y as numbers, found '{}' and '{}'",
                         text::printable(x.substr(0, 40)), text::printable(y.substr(0, 40)));
    ring.push_back(p);
  }
  return ring.size() < 3 ? "expected 3 points or more of a polygon" : "";
}

std::string read_box(const pugi::xml_node& box, Xyxy& target) {
  const std::pair<const char*, double*> parts[] = {
      {"xmin", &target.x1}, {"ymin", &target.y1}, {"xmax", &target.x2}, {"ymax", &target.y2}};
  for (const auto& [name, number] : parts)
    if (!read_number(child_text(box, name), *number))
      return fmt::format("expected a number in {}, found '{}'", name,
                         text::printable(child_text(box, name).substr(0, 40)));
  return "";
}

/// Returns the kind where the object is no box.
std::string take_shape(const pugi::xml_node& node, AnnotatedObject& object) {
  if (const pugi::xml_node segment = node.child("segm")) {
    object.fault = read_box(segment.child("box"), object.box);
    return "";
  }
  const pugi::xml_node polygon = node.child("polygon");
  if (!polygon) return "object without a shape";
  Ring ring;
  object.fault = read_polygon(polygon, ring);
  object.box = box_around({ring});
  const std::string kind = text::lower(child_text(node, "type"));
  if (object.fault.empty() && kind != "bounding_box") object.rings.push_back(std::move(ring));
  return kind == "line" || kind == "point" ? kind : "";
}

/// "a=1, b" → a = 1, b = true.
void take_attributes(std::string_view written, AnnotatedObject& object) {
  for (const std::string_view part : text::split(written, ',')) {
    const std::string_view one = text::trim(part);
    const auto equals = one.find('=');
    if (one.empty()) continue;
    if (equals == std::string_view::npos)
      object.attributes.push_back({std::string(one), true});
    else
      object.attributes.push_back({std::string(text::trim(one.substr(0, equals))),
                                   std::string(text::trim(one.substr(equals + 1)))});
  }
}

struct Into {
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  Conversion& account;
};

void take_objects(const pugi::xml_node& root, const LineTable& lines, AnnotatedImage& image,
                  const Into& into) {
  std::size_t masks = 0;
  for (const pugi::xml_node& node : root.children("object")) {
    AnnotatedObject object;
    object.line = lines.of(node);
    const bool deleted = is_yes(child_text(node, "deleted"));
    const std::string kind = deleted ? "deleted object" : take_shape(node, object);
    if (!kind.empty()) {
      ++into.account.not_boxes[kind];
      continue;
    }
    masks += node.child("segm") ? 1 : 0;
    const std::string name = child_text(node, "name");
    if (!name.empty()) object.class_index = class_named(into.set, into.index, name);
    if (name.empty() && object.fault.empty()) object.fault = "no class name";
    object.id = child_text(node, "id");
    object.occluded = is_yes(child_text(node, "occluded"));
    const pugi::xml_node parts = node.child("parts");
    const std::string whole = child_text(parts, "ispartof");
    if (!whole.empty())
      object.group = whole;
    else if (!child_text(parts, "hasparts").empty())
      object.group = object.id;
    take_attributes(child_text(node, "attributes"), object);
    image.objects.push_back(std::move(object));
  }
  if (masks > 0)
    into.account.notes.push_back(
        {image.annotation, 0,
         fmt::format("the pixels of {} masks are not read: their boxes are", masks)});
}

/// The part below "Annotations", which is a subset: Annotations/subset1/a.xml → subset1.
fs::path below_annotations(const fs::path& folder) {
  fs::path rest;
  bool below = false;
  for (const fs::path& part : folder) {
    if (below) rest /= part;
    below = below || text::lower(part.string()) == "annotations";
  }
  return below ? rest : folder;
}

AnnotatedSet read(const Reading& reading) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  AnnotatedSet set;
  std::map<std::string, int> index;
  const Into into{set, index, reading.account};
  for (const fs::path& path : reading.tree.with_extension(".xml")) {
    check_stop(reading.stop);
    if (!is_webtool(reading.tree.head(path))) continue;
    AnnotatedImage image;
    image.annotation = path;
    const fs::path subset = below_annotations(path.parent_path());
    image.split = split_of_folders(path);
    if (image.split.empty()) image.split = subset.generic_string();
    try {
      const std::string xml = reading.tree.read(path, most_bytes);
      pugi::xml_document document;
      parse_xml(xml, path.string(), document);
      const pugi::xml_node root = document.child("annotation");
      image.written = child_text(root, "filename");
      const pugi::xml_node size = root.child("imagesize");
      image.written_width = whole_number(child_text(size, "ncols"));
      image.written_height = whole_number(child_text(size, "nrows"));
      take_objects(root, LineTable(xml), image, into);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    if (image.objects.empty()) image.state = ImageState::empty_on_purpose;
    if (image.fault.empty())
      reading.finder.assign(image,
                            {path.parent_path(), fs::path("Images") / subset,
                             fs::path("images") / subset, fs::path("Images"), fs::path("images")},
                            reading.account.notes);
    set.images.push_back(std::move(image));
  }
  return set;
}

}  // namespace

Format labelme_webtool_format() {
  Format format;
  format.name = "labelme-webtool";
  format.title = "LabelMe web tool XML";
  format.spellings = {"labelme-webtool-xml", "labelme-xml", "labelme-3.0"};
  format.description = "one XML per image with polygons, of LabelMe's old web tool";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
