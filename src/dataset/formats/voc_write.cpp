#include "dataset/formats/voc_write.hpp"

#include <fmt/format.h>

#include <map>

#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// What VOC has no element for goes where CVAT puts attributes.
std::vector<Attribute> further(const AnnotatedObject& object) {
  std::vector<Attribute> list;
  for (const Attribute& one : object.attributes)
    if (one.name != "pose") list.push_back(one);
  if (object.rotation) {
    const Xyxy& box = object.rotation->box;
    list.push_back({"rotation", tidy(object.rotation->degrees)});
    list.push_back(
        {"box before rotation", fmt::format("{} {} {} {}", number_text(box.x1), number_text(box.y1),
                                            number_text(box.x2), number_text(box.y2))});
  }
  if (!object.key_points.empty()) list.push_back({key_points_name, key_points_text(object)});
  if (!object.group.empty()) list.push_back({"group_id", object.group});
  if (object.z_order != 0) list.push_back({"z_order", static_cast<double>(object.z_order)});
  if (object.score) list.push_back({"score", *object.score});
  if (object.track) {
    list.push_back({"track_id", object.track->id});
    list.push_back({"frame", static_cast<double>(object.track->frame)});
    list.push_back({"keyframe", object.track->keyframe});
    list.push_back({"outside", object.track->outside});
  }
  return list;
}

std::string object_xml(const AnnotatedObject& object, const std::string& name) {
  const Attribute* pose = find_attribute(object.attributes, "pose");
  std::string out = fmt::format(
      "  <object>\n    <name>{}</name>\n    <pose>{}</pose>\n    <truncated>{}</truncated>\n"
      "    <difficult>{}</difficult>\n    <occluded>{}</occluded>\n",
      xml_text(name), pose == nullptr ? "Unspecified" : xml_text(text_of(pose->value)),
      object.truncated ? 1 : 0, object.difficult ? 1 : 0, object.occluded ? 1 : 0);
  const Xyxy& box = object.box;
  out += fmt::format(
      "    <bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>\n",
      number_text(box.x1), number_text(box.y1), number_text(box.x2), number_text(box.y2));
  if (object.rings.size() == 1) {
    out += "    <polygon>";
    for (std::size_t i = 0; i < object.rings.front().size(); ++i) {
      const Point& point = object.rings.front()[i];
      out += fmt::format("<x{0}>{1}</x{0}><y{0}>{2}</y{0}>", i + 1, number_text(point.x),
                         number_text(point.y));
    }
    out += "</polygon>\n";
  }
  if (const std::vector<Attribute> list = further(object); !list.empty()) {
    out += "    <attributes>";
    for (const Attribute& one : list)
      out += fmt::format("<attribute><name>{}</name><value>{}</value></attribute>",
                         xml_text(one.name), xml_text(text_of(one.value)));
    out += "</attributes>\n";
  }
  return out + "  </object>\n";
}

std::string annotation_xml(const AnnotatedImage& image, const fs::path& place,
                           const AnnotatedSet& set) {
  std::string out = fmt::format(
      "<annotation>\n  <folder>JPEGImages</folder>\n  <filename>{}</filename>\n"
      "  <size><width>{}</width><height>{}</height><depth>3</depth></size>\n"
      "  <segmented>0</segmented>\n",
      xml_text(place.filename().string()), image.width, image.height);
  for (const AnnotatedObject& object : image.objects)
    out += object_xml(object, set.classes[static_cast<std::size_t>(object.class_index)].name);
  return out + "</annotation>\n";
}

}  // namespace

void write_voc(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string&) { return "JPEGImages"; });
  std::map<std::string, std::string> lists;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    const std::string stem = places[i].stem().string();
    lists[image.split] += stem + "\n";
    write_text_file(writing, "Annotations/" + stem + ".xml",
                    annotation_xml(image, places[i], writing.set));
  }
  for (const auto& [split, list] : lists)
    write_text_file(writing, "ImageSets/Main/" + split + ".txt", list);
  std::string map = "# label:color_rgb:parts:actions\n";
  for (const AnnotatedClass& one : writing.set.classes) map += one.name + ":::\n";
  write_text_file(writing, "labelmap.txt", map);
}

}  // namespace yolov7::dataset
