// Pascal VOC into the annotated set.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/voc.hpp"
#include "dataset/formats/voc_lists.hpp"
#include "dataset/formats/voc_source.hpp"
#include "dataset/formats/voc_write.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool detect(const SourceTree& tree) {
  std::size_t looked = 0;
  for (const fs::path& file : tree.with_extension(".xml")) {
    if (is_voc_text(tree.head(file))) return true;
    if (++looked == 1000) break;
  }
  return false;
}

/// The signs of the original data set, whose corners are numbers of pixels from 1.
class OneBased {
 public:
  void look_at(const VocAnnotation& a) {
    devkit_ |= text::lower(a.database).find("voc") != std::string::npos;
    for (const VocObject& object : a.objects) {
      if (!object.fault.empty()) continue;
      const Xyxy& box = object.box_px;
      ++boxes_;
      zeros_ += box.x1 < 1 || box.y1 < 1 ? 1 : 0;
      ones_ += box.x1 == 1 || box.y1 == 1 ? 1 : 0;
      full_ += a.width > 0 && box.x2 == a.width ? 1 : 0;
    }
  }
  bool likely() const {
    constexpr std::size_t enough = 200;
    return boxes_ >= enough && zeros_ == 0 && ones_ > 0 && full_ > 0 && devkit_;
  }

 private:
  bool devkit_ = false;
  std::size_t boxes_ = 0, zeros_ = 0, ones_ = 0, full_ = 0;
};

/// Attributes; the ones in which write_voc() puts what VOC has no element for go where they belong.
void take_further(const std::vector<Attribute>& attributes, AnnotatedObject& object) {
  const Attribute* degrees = find_attribute(attributes, "rotation");
  const Attribute* box = find_attribute(attributes, "box before rotation");
  if (degrees != nullptr && box != nullptr) {
    const std::string words = text_of(box->value);
    const auto parts = text::split_blank(words);
    Rotation turned;
    double* numbers[] = {&turned.box.x1, &turned.box.y1, &turned.box.x2, &turned.box.y2};
    bool whole = parts.size() == 4 && read_number(text_of(degrees->value), turned.degrees);
    for (std::size_t i = 0; i < 4 && whole; ++i) whole = read_number(parts[i], *numbers[i]);
    if (whole) object.rotation = turned;
  }
  std::vector<Attribute> others;
  for (const Attribute& one : attributes)
    if ((!object.rotation || (&one != degrees && &one != box)) && !take_key_points(one, object))
      others.push_back(one);
  take_attributes(others, object);
}

AnnotatedObject object_of(const VocObject& object, const std::vector<std::string>& names,
                          bool one_based) {
  AnnotatedObject result;
  result.line = object.line;
  result.fault = object.fault;
  result.box = object.box_px;
  result.difficult = object.difficult;
  result.truncated = object.truncated;
  result.occluded = object.occluded;
  result.rings = object.rings;
  if (one_based) {
    result.box.x1 -= 1, result.box.y1 -= 1;
    for (Ring& ring : result.rings)
      for (Point& point : ring) point.x -= 1, point.y -= 1;
  }
  take_further(object.attributes, result);
  const auto place = std::lower_bound(names.begin(), names.end(), object.name);
  if (place != names.end() && *place == object.name)
    result.class_index = static_cast<int>(place - names.begin());
  return result;
}

AnnotatedImage image_of(const VocItem& item, const std::vector<std::string>& names,
                        bool one_based) {
  AnnotatedImage image;
  image.annotation = item.file;
  image.written = item.annotation.filename;
  image.written_width = item.annotation.width;
  image.written_height = item.annotation.height;
  image.picture = item.picture;
  image.fault = item.fault;
  image.split = item.split;
  for (const VocObject& object : item.annotation.objects)
    image.objects.push_back(object_of(object, names, one_based));
  image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
  return image;
}

/// Splits by the lists, else by folders (train/, valid/), where all images lie in such.
void assign_splits(const VocFiles& files, std::vector<VocItem>& items, AnnotatedSet& set,
                   std::vector<Problem>& notes) {
  if (assign_listed_splits(files, items, notes)) {
    set.splits_are_final = true;
    set.split_rule = "the lists in ImageSets";
    for (VocItem& item : items)
      if (item.fault.empty() && item.split.empty())
        item.fault = "in none of the lists in ImageSets";
    return;
  }
  const auto split = [&](const VocItem& item) { return split_of_folders(item.file); };
  if (std::any_of(items.begin(), items.end(),
                  [&](const VocItem& item) { return item.fault.empty() && split(item).empty(); }))
    return;
  for (VocItem& item : items) item.split = split(item);
  set.split_rule = "the folders' names";
}

AnnotatedSet read_voc(const Reading& reading) {
  AnnotatedSet set;
  set.trusts_size_of_picture = true;
  set.drops_unused_classes = true;
  const VocFiles files = voc_files(reading.tree);
  std::vector<VocItem> items =
      read_annotations(files, threads_or_all(reading.options.threads), reading.stop);
  assign_pictures(files, reading.finder, items, reading.account.notes);
  assign_splits(files, items, set, reading.account.notes);
  std::set<std::string> found;
  OneBased one_based;
  for (const VocItem& item : items) {
    one_based.look_at(item.annotation);
    for (const VocObject& object : item.annotation.objects) {
      if (!object.fault.empty()) continue;
      found.insert(object.name);
      if (object.swapped && item.fault.empty())
        reading.account.notes.push_back(
            {item.file, object.line, "xmin is above xmax, or ymin above ymax: they are swapped"});
    }
  }
  const std::vector<std::string> names(found.begin(), found.end());
  for (const std::string& name : names) set.classes.push_back({name, {}, {}, {}});
  for (const VocItem& item : items)
    set.images.push_back(image_of(item, names, reading.options.voc_one_based));
  if (one_based.likely() && !reading.options.voc_one_based)
    reading.account.notes.push_back({reading.tree.root, 0,
                                     fmt::format("the corners look like numbers of pixels from 1, "
                                                 "as in the original data set: they are "
                                                 "taken as they are; {} takes 1 off xmin and ymin",
                                                 setting_name("voc-one-based"))});
  return set;
}

}  // namespace

Format voc_format() {
  Format format;
  format.name = "voc";
  format.title = "Pascal VOC";
  format.spellings = {"pascal-voc", "pascal", "voc-xml"};
  format.description = "one XML per image, with ImageSets lists or folders for the splits";
  format.detect = detect;
  format.read = read_voc;
  format.write = write_voc;
  Holds& holds = format.holds;
  holds.difficult = holds.truncated = holds.occluded = holds.attributes = Keep::yes;
  format.limits_words = "attributes come back as texts.";
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects)
        for (Attribute& one : object.attributes) one.value = text_of(one.value);
  };
  holds.polygon = holds.quad = holds.loose = Keep::yes;
  holds.rotation = holds.group = holds.z_order = holds.score = holds.track = holds.key_points =
      Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
