#include "dataset/formats/format_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"

namespace yolov7::dataset {
namespace {

struct Property {
  const char* what;
  Keep Holds::*keep;
  bool (*has)(const AnnotatedObject& object);
  void (*forget)(AnnotatedObject& object);
};

/// The polygon is all that there is of the object's shape.
bool stands_alone(const AnnotatedObject& object) {
  return !object.rotation && sole_polygon(object) != nullptr;
}

/// A line for each property of an object: its name, its column, whether an object has it, and an
/// object without it. Polygons come behind what they may stand beside.
const std::vector<Property>& properties() {
  using O = AnnotatedObject;
  constexpr auto no_rings = [](O& o) { o.rings.clear(); };
  static const std::vector<Property> list = {
      {"rotation", &Holds::rotation, [](const O& o) { return o.rotation.has_value(); },
       [](O& o) { o.rotation.reset(); }},
      {"polygon", &Holds::polygon,
       [](const O& o) { return stands_alone(o) && o.rings[0].size() != 4; }, no_rings},
      {"polygon of four corners", &Holds::quad,
       [](const O& o) { return stands_alone(o) && o.rings[0].size() == 4; }, no_rings},
      {"polygon beside another shape", &Holds::loose,
       [](const O& o) { return o.rings.size() == 1 && !stands_alone(o); }, no_rings},
      {"polygon of several parts", &Holds::parts, [](const O& o) { return o.rings.size() > 1; },
       no_rings},
      {"mask", &Holds::mask, [](const O& o) { return o.mask.has_value(); },
       [](O& o) { o.mask.reset(); }},
      {"crowd", &Holds::crowd, [](const O& o) { return o.crowd; }, [](O& o) { o.crowd = false; }},
      {"ignore", &Holds::ignore, [](const O& o) { return o.ignore; },
       [](O& o) { o.ignore = false; }},
      {"difficult", &Holds::difficult, [](const O& o) { return o.difficult; },
       [](O& o) { o.difficult = false; }},
      {"truncated", &Holds::truncated, [](const O& o) { return o.truncated; },
       [](O& o) { o.truncated = false; }},
      {"occluded", &Holds::occluded, [](const O& o) { return o.occluded; },
       [](O& o) { o.occluded = false; }},
      {"attributes", &Holds::attributes, [](const O& o) { return !o.attributes.empty(); },
       [](O& o) { o.attributes.clear(); }},
      {"group", &Holds::group, [](const O& o) { return !o.group.empty(); },
       [](O& o) { o.group.clear(); }},
      {"z order", &Holds::z_order, [](const O& o) { return o.z_order != 0; },
       [](O& o) { o.z_order = 0; }},
      {"track", &Holds::track, [](const O& o) { return o.track.has_value(); },
       [](O& o) { o.track.reset(); }},
      {"score", &Holds::score, [](const O& o) { return o.score.has_value(); },
       [](O& o) { o.score.reset(); }},
      {"key points", &Holds::key_points, [](const O& o) { return !o.key_points.empty(); },
       [](O& o) { o.key_points.clear(); }},
      {"object id", &Holds::ids, [](const O& o) { return !o.id.empty(); },
       [](O& o) { o.id.clear(); }},
  };
  return list;
}

/// Attributes count where one of them has no column of its own.
bool has_property(const Property& property, const AnnotatedObject& object, const Format& format) {
  if (property.keep != &Holds::attributes || format.keeps_attribute == nullptr)
    return property.has(object);
  return !std::all_of(object.attributes.begin(), object.attributes.end(), format.keeps_attribute);
}

void forget_property(const Property& property, const Format& format, AnnotatedObject& object) {
  if (property.keep == &Holds::attributes && format.keeps_attribute != nullptr)
    std::erase_if(object.attributes,
                  [&](const Attribute& one) { return !format.keeps_attribute(one); });
  else
    property.forget(object);
}

const char* mark(Keep keep) {
  switch (keep) {
    case Keep::no: return "–";
    case Keep::yes: return "yes";
    case Keep::attribute: return "attribute";
    case Keep::side_file: return "side file";
    case Keep::no_file: return "no file";
  }
  return "";
}

template <class Has>
std::vector<std::string> names_where(Has has) {
  std::vector<std::string> names;
  for (const Format& format : formats())
    if (has(format)) names.push_back(format.name);
  return names;
}

}  // namespace

const std::vector<Format>& formats() {
  static const std::vector<Format> list = {
      yolo_format(),          coco_format(),         voc_format(),
      labelme_format(),       cvat_images_format(),  cvat_video_format(),
      createml_format(),      via_format(),          kitti_format(),
      csv_format(),           openimages_format(),   widerface_format(),
      dota_format(),          label_studio_format(), supervisely_format(),
      datumaro_format(),      tfrecord_format(),     labelme_webtool_format(),
      cvat_rest_format(),     labelbox_format(),     darwin_format(),
      superannotate_format(), vott_format(),         scalabel_format(),
      crowdhuman_format(),    mot_format(),          segment_anything_format(),
      imagenet_format(),
  };
  return list;
}

const Format* find_format(const std::string& name) {
  const std::string wanted = text::lower(name);
  for (const Format& format : formats())
    if (format.name == wanted || text::contains(format.spellings, wanted)) return &format;
  return nullptr;
}

const Format& format_named(const std::string& name, const std::string& option) {
  if (const Format* format = find_format(name)) return *format;
  const std::string wanted = text::lower(name);
  std::vector<std::string> names;
  for (const Format& format : formats()) names.push_back(format.name);
  throw usage_error(fmt::format("{}: expected one of {}, found '{}'{}", option,
                                text::join(names, ", "), text::printable(name),
                                text::did_you_mean(wanted, names)));
}

const Format& detect_format(const SourceTree& tree, const std::string& choice) {
  const std::string chooser = choice.empty() ? setting_name("from") : choice;
  std::vector<const Format*> found;
  for (const Format& format : formats())
    if (format.read != nullptr && format.detect != nullptr && format.detect(tree))
      found.push_back(&format);
  if (found.size() == 1) return *found.front();
  const std::string name = (tree.source.empty() ? tree.root : tree.source).string();
  if (found.empty() && has_class_folders(tree)) return *find_format("imagenet");
  if (found.empty())
    throw Error(fmt::format(
        "{}: expected annotations of a known format, found the signs of none among {} "
        "files and {} images; {} names one of {}",
        name, tree.files.size(), tree.images.size(), chooser, text::join(readable_names(), ", ")));
  std::vector<std::string> names;
  for (const Format* format : found) names.push_back(format->name);
  throw Error(
      fmt::format("{}: expected annotations in one format, found the signs of several: {}; {} "
                  "chooses one",
                  name, text::join(names, ", "), chooser));
}

std::vector<std::string> readable_names() {
  return names_where([](const Format& format) { return format.read != nullptr; });
}

std::vector<std::string> writable_names() {
  return names_where([](const Format& format) { return format.write != nullptr; });
}

std::vector<Loss> losses(const AnnotatedSet& set, const Format& format) {
  std::vector<Loss> result;
  const auto add = [&](const char* what, std::size_t count, Keep keep) {
    if (count > 0 && keep != Keep::yes && keep != Keep::no_file)
      result.push_back({what, count, keep});
  };
  std::vector<std::size_t> counts(properties().size());
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects) {
      // What is lost changes what a polygon stands beside.
      const bool both = object.rotation && !object.rings.empty();
      AnnotatedObject rest = both ? object : AnnotatedObject();
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const Property& property = properties()[i];
        if (!has_property(property, both ? rest : object, format)) continue;
        ++counts[i];
        if (both && format.holds.*property.keep == Keep::no) property.forget(rest);
      }
    }
  for (std::size_t i = 0; i < counts.size(); ++i)
    add(properties()[i].what, counts[i], format.holds.*properties()[i].keep);
  std::size_t repeated = 0;
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects)
      if (format.names_once && object.attributes.size() > 1)
        repeated += object.attributes.size() - each_name_once(object.attributes).size();
  add(repeated_attribute, repeated, Keep::no);
  std::size_t tagged = 0, not_annotated = 0, background = 0, joints = 0;
  for (const AnnotatedClass& one : set.classes) joints += one.joints.size();
  for (const AnnotatedImage& image : set.images) {
    tagged += image.tags.size();
    background += image.objects.empty() ? 1 : 0;
    not_annotated += image.state == ImageState::not_annotated ? 1 : 0;
  }
  add("joint of key points", joints, format.holds.joints);
  add("image tag", tagged, format.holds.tags);
  add("image without a box", background, format.holds.background);
  add("mark that an image is not annotated yet", not_annotated, format.holds.not_annotated);
  return result;
}

void keep_what_it_holds(AnnotatedSet& set, const Format& format) {
  for (AnnotatedImage& image : set.images) {
    for (AnnotatedObject& object : image.objects) {
      for (const Property& property : properties())
        if (format.holds.*property.keep == Keep::no && has_property(property, object, format))
          forget_property(property, format, object);
      if (format.names_once) object.attributes = each_name_once(object.attributes);
    }
    if (format.holds.tags == Keep::no) image.tags.clear();
    if (format.holds.not_annotated == Keep::no && image.state == ImageState::not_annotated)
      image.state = ImageState::empty_on_purpose;
  }
  for (AnnotatedClass& one : set.classes) {
    if (format.holds.joints == Keep::no) one.joints.clear();
    if (format.holds.key_points == Keep::no) one.point_names.clear();
  }
  if (format.holds.background == Keep::no)
    std::erase_if(set.images, [](const AnnotatedImage& image) { return image.objects.empty(); });
  if (format.holds.not_annotated == Keep::no_file)
    std::erase_if(set.images, [](const AnnotatedImage& image) {
      return image.state == ImageState::not_annotated;
    });
  if (format.limits != nullptr) format.limits(set);
}

std::string format_table_text() {
  std::string head = "| Format | `--from`, `--to` | Read | Written |", line = "|---|---|---|---|";
  for (const Property& property : properties()) {
    head += fmt::format(" {} |", property.what);
    line += "---|";
  }
  head += " joint of key points | image tag | image without a box | not annotated |";
  line += "---|---|---|---|";
  std::string out = head + "\n" + line + "\n";
  for (const Format& format : formats()) {
    std::string names = "`" + format.name + "`";
    for (const std::string& spelling : format.spellings) names += ", `" + spelling + "`";
    out += fmt::format("| {} | {} | {} | {} |", format.title, names,
                       format.read != nullptr ? format.read_words : "–",
                       format.write != nullptr ? "yes" : "–");
    for (const Property& property : properties())
      out += fmt::format(" {} |", format.write != nullptr ? mark(format.holds.*property.keep) : "");
    const Holds& holds = format.holds;
    for (const Keep keep : {holds.joints, holds.tags, holds.background, holds.not_annotated})
      out += fmt::format(" {} |", format.write != nullptr ? mark(keep) : "");
    out += '\n';
  }
  return out;
}

std::string format_limits_text() {
  std::string out;
  for (const Format& format : formats())
    if (!format.limits_words.empty())
      out += fmt::format("* {}: {}\n", format.title, format.limits_words);
  return out;
}

}  // namespace yolov7::dataset
