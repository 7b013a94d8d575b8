// CVAT for images 1.1.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <pugixml.hpp>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/cvat_shapes.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".xml"))
    if (is_cvat(tree, file, "image")) return true;
  return false;
}

struct File {
  const Reading& reading;
  fs::path path;
  LineTable lines;
  CvatLabels labels;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
};

/// A skeleton belongs to the only box of its group, which is then a group no longer. Standing alone
/// it is no box.
void join_skeleton(const pugi::xml_node& node, AnnotatedImage& image, File& file,
                   std::vector<AnnotatedObject*>& joined) {
  const std::string group = node.attribute("group_id").value();
  AnnotatedObject* owner = nullptr;
  std::size_t members = 0;
  for (AnnotatedObject& object : image.objects)
    if (!group.empty() && group != "0" && object.group == group) owner = &object, ++members;
  if (members != 1 || !owner->key_points.empty() || owner->class_index < 0) {
    ++file.reading.account.not_boxes["skeleton"];
    return;
  }
  owner->key_points = read_cvat_skeleton(node);
  joined.push_back(owner);
  AnnotatedClass& one = file.set.classes[static_cast<std::size_t>(owner->class_index)];
  const auto drawn = file.labels.skeletons.find(node.attribute("label").value());
  if (drawn == file.labels.skeletons.end() || !one.point_names.empty()) return;
  one.point_names = drawn->second.names;
  one.joints = drawn->second.joints;
}

void read_shapes(const pugi::xml_node& node, AnnotatedImage& image, File& file) {
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string element = child.name(), label = child.attribute("label").value();
    if (element == "tag") {
      image.tags.push_back({label, true});
      const auto attributes = child.children("attribute");
      if (const auto count = std::distance(attributes.begin(), attributes.end()); count > 0)
        file.reading.account.not_boxes["attribute of a tag"] += static_cast<std::size_t>(count);
      continue;
    }
    if (element == "skeleton") continue;  // below, when all boxes are there
    if (!is_cvat_box(element)) {
      ++file.reading.account.not_boxes[element];
      continue;
    }
    AnnotatedObject object =
        read_cvat_shape(child, file.lines, image.written_width, image.written_height);
    take_cvat_label(label, file.labels, file.set, file.index, object);
    take_cvat_attributes(child, label, file.labels, object);
    image.objects.push_back(std::move(object));
  }
  std::vector<AnnotatedObject*> joined;
  for (const pugi::xml_node& child : node.children("skeleton"))
    join_skeleton(child, image, file, joined);
  for (AnnotatedObject* owner : joined) owner->group.clear();
}

void read_file(const fs::path& path, const Reading& reading, AnnotatedSet& set,
               std::map<std::string, int>& index) {
  const std::string xml = reading.tree.read(path);
  pugi::xml_document document;
  parse_xml(xml, (reading.tree.root / path).string(), document);
  const pugi::xml_node root = document.child("annotations");
  File file{reading, path, LineTable(xml), read_cvat_labels(root.child("meta")), set, index};
  for (const std::string& name : file.labels.names) class_named(set, index, name);
  for (const pugi::xml_node& node : root.children("image")) {
    check_stop(reading.stop);
    AnnotatedImage image;
    image.annotation = path;
    image.line = file.lines.of(node);
    image.shares_file = true;
    image.written = node.attribute("name").value();
    image.split = node.attribute("subset").value();
    image.id = node.attribute("id").value();
    image.written_width = whole_number(node.attribute("width").value());
    image.written_height = whole_number(node.attribute("height").value());
    read_shapes(node, image, file);

    const fs::path folder = path.parent_path();
    std::vector<fs::path> folders = {folder / "images", folder};
    if (!image.split.empty())
      folders = {folder / "images" / image.split, folder / image.split, folder / "images"};
    reading.finder.assign(image, folders, reading.account.notes);
    set.images.push_back(std::move(image));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".xml"))
    if (is_cvat(reading.tree, path, "image")) read_file(path, reading, set, index);
  return set;
}

/// A dump of a project, with a task for each split: programs take subsets from there alone.
std::string project_xml(const AnnotatedSet& set) {
  std::string tasks;
  const std::vector<std::string> splits = splits_of(set);
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const auto count = std::count_if(set.images.begin(), set.images.end(),
                                     [&](const auto& image) { return image.split == splits[i]; });
    tasks += fmt::format(
        "        <task><id>{}</id><name>{}</name><size>{}</size><mode>annotation</mode>"
        "<subset>{}</subset></task>\n",
        i, xml_text(splits[i]), count, xml_text(splits[i]));
  }
  return fmt::format(
      "    <project>\n      <name>{}</name>\n      <tasks>\n{}      </tasks>\n      {}\n"
      "    </project>\n",
      "data", tasks, cvat_labels_xml(set, CvatPoints::skeletons));
}

std::string image_xml(const AnnotatedImage& image, const fs::path& place, std::size_t number,
                      std::size_t task, const Writing& writing) {
  std::string out = fmt::format(
      "  <image id=\"{}\" name=\"{}\" subset=\"{}\" task_id=\"{}\" width=\"{}\" "
      "height=\"{}\">\n",
      number, xml_text(place.filename().string()), xml_text(image.split), task, image.width,
      image.height);
  std::int64_t free = free_group(image);
  for (const AnnotatedObject& object : image.objects) {
    const CvatShapeText shape = cvat_shape_text(object, CvatPoints::skeletons);
    const bool posed = !object.key_points.empty();
    const std::string group = posed ? std::to_string(free) : xml_text(object.group);
    out += fmt::format(
        "    <{} label=\"{}\" source=\"{}\" occluded=\"{}\" {} z_order=\"{}\"{}>\n{}    </{}>\n",
        shape.element, xml_text(class_name(writing, object)),
        object.source.empty() ? "manual" : xml_text(object.source), object.occluded ? 1 : 0,
        shape.geometry, object.z_order, group.empty() ? "" : fmt::format(" group_id=\"{}\"", group),
        shape.children, shape.element);
    if (posed) out += cvat_skeleton_xml(object, writing.set, free++);
  }
  for (const Attribute& tag : image.tags)
    out +=
        fmt::format("    <tag label=\"{}\" source=\"manual\">\n    </tag>\n", xml_text(tag.name));
  return out + "  </image>\n";
}

/// Objects that have key points and are in a group, whose number joins the two here.
std::size_t groups_of_key_points(const AnnotatedSet& set) {
  std::size_t count = 0;
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects)
      count += !object.key_points.empty() && !object.group.empty() ? 1 : 0;
  return count;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n"
      "  <meta>\n{}  </meta>\n",
      project_xml(writing.set));
  const std::vector<std::string> splits = splits_of(writing.set);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    const auto task = std::find(splits.begin(), splits.end(), image.split) - splits.begin();
    out += image_xml(image, places[i], i, static_cast<std::size_t>(task), writing);
  }
  write_text_file(writing, "annotations.xml", out + "</annotations>\n");
  if (const std::size_t groups = groups_of_key_points(writing.set); groups > 0)
    writing.account.losses.push_back({"group of an object with key points", groups, ""});
}

}  // namespace

Format cvat_images_format() {
  Format format;
  format.name = "cvat";
  format.title = "CVAT for images 1.1";
  format.spellings = {"cvat-images", "cvat-xml"};
  format.description = "XML with an <image> for each image";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.rotation = holds.occluded = holds.attributes = holds.group =
      holds.z_order = holds.tags = holds.key_points = holds.joints = Keep::yes;
  holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.score = Keep::attribute;
  format.limits_words =
      "the group of an object with key points is lost, and counted: they are a skeleton, joined to "
      "it by a group of their own.";
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects)
        if (!object.key_points.empty()) object.group.clear();
  };
  return format;
}

}  // namespace yolov7::dataset
