#include "dataset/formats/yolo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/written_rows.hpp"
#include "dataset/formats/yolo_layout.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.files) {
    if (is_yolo_description(tree, file)) return true;
    if (file.extension() == ".data" && tree.head(file).find("names") != std::string::npos)
      return true;
  }
  std::vector<std::string> stems;
  for (const TreeImage& image : tree.images) stems.push_back(image.relative.stem().string());
  std::sort(stems.begin(), stems.end());
  std::size_t looked = 0;
  for (const fs::path& file : tree.with_extension(".txt")) {
    if (!std::binary_search(stems.begin(), stems.end(), file.stem().string())) continue;
    if (is_yolo_text(tree.head(file, 4096))) return true;
    if (++looked == 1000) break;
  }
  return false;
}

/// 12 digits are 1e-8 px on the largest images, and the same again after any way through pixels.
std::string fraction(double value) { return " " + number_text(value, 12); }

/// A copy in fractions of the image, as the side file has it; a turned box stays in pixels, since
/// fractions would make a parallelogram of it.
AnnotatedObject in_fractions(AnnotatedObject object, const AnnotatedImage& image) {
  const double width = image.width, height = image.height;
  Xyxy& box = object.box;
  box = {box.x1 / width, box.y1 / height, box.x2 / width, box.y2 / height};
  for (Ring& ring : object.rings)
    for (Point& point : ring) point = {point.x / width, point.y / height};
  for (KeyPoint& point : object.key_points) point.at = {point.at.x / width, point.at.y / height};
  return object;
}

struct Texts {
  std::string rows, extra;
  std::size_t polygons_beside = 0;  ///< polygons whose rows hold key points instead
};

/// What stands beside the row of an object, or, where it gets none, all of it.
json extra_of(AnnotatedObject object, const AnnotatedImage& image, bool withheld, bool pose) {
  // By pixels, as yolo_row() decides: as fractions nearly all polygons are near their boxes.
  const bool with_rings = withheld || pose || sole_polygon(object) == nullptr;
  object = in_fractions(std::move(object), image);
  if (!withheld) object.key_points.clear();
  return properties_json(object, with_rings);
}

Texts texts_of(const AnnotatedImage& image, const std::string& place,
               const std::vector<AnnotatedClass>& classes, std::size_t points,
               Conversion& account) {
  Texts texts;
  json own = json::object();
  if (!image.id.empty()) own["image_id"] = image.id;
  if (!image.tags.empty()) own["tags"] = attributes_json(image.tags);
  const auto add_extra = [&](json line) {
    line["image"] = place;
    texts.extra += json_text(line) + "\n";
  };
  if (!own.empty()) add_extra(std::move(own));
  std::size_t row = 0;
  for (const AnnotatedObject& object : image.objects) {
    const bool withheld = withheld_from_rows(object, image, yolo_side_file, account);
    json extra = extra_of(object, image, withheld, points > 0);
    if (withheld) {
      const Xyxy box = in_fractions(object, image).box;
      extra["box"] = {tidy(box.x1), tidy(box.y1), tidy(box.x2), tidy(box.y2)};
      extra["class"] = object.class_index;
      add_extra(std::move(extra));
      continue;
    }
    const auto& names = classes[static_cast<std::size_t>(object.class_index)].point_names;
    const std::string text =
        points > 0 ? yolo_row(object, image, names, points) : yolo_row(object, image);
    texts.polygons_beside += points > 0 && sole_polygon(object) != nullptr ? 1 : 0;
    texts.rows += text + "\n";
    if (!extra.empty()) {
      extra["row"] = row;
      extra["label"] = text;
      add_extra(std::move(extra));
    }
    ++row;
  }
  return texts;
}

/// What data.yaml has no place for: names of key points and the lines between them.
std::string class_lines(const std::vector<AnnotatedClass>& classes) {
  std::string lines;
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (!classes[i].point_names.empty())
      lines +=
          json_text(
              {{"class", i}, {"points", classes[i].point_names}, {"joints", classes[i].joints}}) +
          "\n";
  return lines;
}

/// The key of a split in data.yaml: another one where its name is that of something else there.
std::string key_of(const std::string& split, const std::vector<std::string>& splits) {
  static const std::vector<std::string> taken = {"path", "nc", "names", "kpt_shape", "download"};
  std::string key = split;
  while (text::contains(taken, key) || (key != split && text::contains(splits, key)))
    key += "_split";
  return key;
}

void write_description(const Writing& writing, const std::string& key_points) {
  std::vector<std::string> splits = splits_of(writing.set);
  std::vector<std::pair<std::string, std::string>> entries;
  std::string note;
  const auto has = [&](const char* split) { return text::contains(splits, split); };
  if (has("train")) entries.emplace_back("train", "images/train");
  if (has("val")) {
    entries.emplace_back("val", "images/val");
  } else if (has("train")) {
    entries.emplace_back("val", "images/train");
    writing.account.val_is_train = true;
    note =
        "There are no validation images: val names the training images, so results on it say "
        "nothing about unseen ones.";
  }
  for (const std::string& split : splits) {
    if (split == "train" || split == "val") continue;
    const std::string key = key_of(split, splits);
    entries.emplace_back(key, "images/" + split);
    if (split != "test")
      writing.account.notes.push_back(
          {"data.yaml", 0,
           fmt::format("the split '{}' is neither train, val nor test: its entry is called '{}', "
                       "which training and reading pass over",
                       text::printable(split), text::printable(key))});
  }
  write_text_file(writing, "data.yaml",
                  description_text(entries, names_of(writing.set), note) + key_points);
}

}  // namespace

std::string yolo_row(const AnnotatedObject& object, const AnnotatedImage& image) {
  std::string row = std::to_string(object.class_index);
  const double width = image.width, height = image.height;
  if (const Ring* polygon = sole_polygon(object)) {
    for (const Point& point : *polygon)
      row += fraction(point.x / width) + fraction(point.y / height);
    return row;
  }
  const CxcywhNormalized box = to_normalized(object.box, width, height);
  for (const double value : {box.cx, box.cy, box.w, box.h}) row += fraction(value);
  return row;
}

std::string yolo_row(const AnnotatedObject& object, const AnnotatedImage& image,
                     const std::vector<std::string>& names, std::size_t points) {
  AnnotatedObject plain = object;
  plain.rings.clear();
  std::string row = yolo_row(plain, image);
  std::map<std::string, const KeyPoint*> by_name;
  for (const KeyPoint& point : object.key_points) by_name.emplace(point.name, &point);
  for (std::size_t i = 0; i < points; ++i) {
    const auto found = i < names.size() ? by_name.find(names[i]) : by_name.end();
    if (found == by_name.end())
      row += " 0 0 0";
    else
      row += fraction(found->second->at.x / image.width) +
             fraction(found->second->at.y / image.height) + (found->second->hidden ? " 1" : " 2");
  }
  return row;
}

bool withheld_from_rows(const AnnotatedObject& object, const AnnotatedImage& image,
                        const std::string& kept, Conversion& account) {
  if (!object.crowd && !object.ignore) return false;
  --account.boxes.out;
  for (SplitCount& split : account.splits)
    if (split.name == image.split) {
      --split.boxes;
      --split.boxes_per_class[static_cast<std::size_t>(object.class_index)];
    }
  account.drop({"box", image.annotation, object.line, 1,
                fmt::format("{} of class '{}'{}: no box to learn from{}",
                            object.crowd ? "crowd region" : "ignored region",
                            account.names[static_cast<std::size_t>(object.class_index)],
                            image.shares_file ? fmt::format(" on image '{}'", image.written) : "",
                            kept.empty() ? "" : "; it is kept in " + kept)});
  return true;
}

void write_yolo(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  const std::vector<AnnotatedClass>& classes = writing.set.classes;
  std::size_t points = 0, polygons_beside = 0;
  for (const AnnotatedClass& one : classes) points = std::max(points, one.point_names.size());
  std::string extra = class_lines(classes);
  std::map<std::string, LongRows> long_rows;  // of each split
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    const Texts texts =
        texts_of(image, places[i].generic_string(), classes, points, writing.account);
    polygons_beside += texts.polygons_beside;
    extra += texts.extra;
    add_rows(long_rows[image.split], texts.rows);
    if (image.state != ImageState::not_annotated || !image.objects.empty())
      write_text_file(
          writing,
          (fs::path("labels") / image.split / places[i].filename()).replace_extension(".txt"),
          texts.rows);
  }
  if (!extra.empty()) write_text_file(writing, yolo_side_file, extra);
  if (polygons_beside > 0)
    writing.account.losses.push_back(
        {"polygon of a set with key points", polygons_beside, extra_line});
  const bool declared = std::any_of(long_rows.begin(), long_rows.end(),
                                    [](const auto& one) { return need_declaration(one.second); });
  write_description(writing, points > 0 ? fmt::format("kpt_shape: [{}, 3]\n", points)
                             : declared ? polygon_declaration
                                        : "");
}

Format yolo_format() {
  Format format;
  format.name = "yolo";
  format.title = "YOLO text";
  format.spellings = {"yolov7", "yolov5", "yolov8", "ultralytics", "darknet"};
  format.description =
      "a text file beside each image, one row per box, with data.yaml, obj.data, classes.txt or no "
      "list of classes";
  format.detect = detect;
  format.read = read_yolo;
  format.write = write_yolo;
  format.names_once = true;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.key_points = holds.not_annotated = Keep::yes;
  holds.loose = holds.parts = holds.mask = holds.rotation = holds.crowd = holds.ignore =
      holds.difficult = holds.truncated = holds.occluded = holds.attributes = holds.group =
          holds.z_order = holds.track = holds.score = holds.ids = holds.tags = holds.joints =
              Keep::side_file;
  return format;
}

}  // namespace yolov7::dataset
