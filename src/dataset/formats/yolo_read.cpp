#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

struct FoundLabels {
  fs::path file;      ///< empty: none
  std::string fault;  ///< why none of those that fit is taken
};

/// Text files by path and by stem.
class Labels {
 public:
  /// `entries`: the images of the set. Others of the tree have the label files at their places.
  Labels(const SourceTree& tree, const std::vector<YoloLayout::Entry>& entries) : tree_(tree) {
    std::set<std::string> taken;
    for (const TreeImage& image : tree.images)
      if (const fs::path own = at_its_place(image.relative); !own.empty())
        taken.insert(own.string());
    for (const YoloLayout::Entry& entry : entries)
      if (const fs::path& image = tree.images[entry.image].relative; at_its_place(image).empty())
        ++without_[image.stem().string()];
    for (const fs::path& file : tree.with_extension(".txt"))
      if (!taken.contains(file.string())) by_stem_[file.stem().string()].push_back(file);
  }

  /// The label file of an image of the set: by the rule of data 3.1, else beside it, else the one
  /// of its stem that is no other image's by these two. Several that fit, or one that fits several
  /// images, are a fault: a guess could be silently wrong.
  FoundLabels of(const fs::path& image) const {
    if (fs::path own = at_its_place(image); !own.empty()) return {std::move(own), {}};
    const std::string stem = image.stem().string();
    const auto found = by_stem_.find(stem);
    if (found == by_stem_.end()) return {};
    const fs::path* one = nullptr;
    for (const fs::path& file : found->second) {
      if (!is_yolo_text(tree_.head(file, 4096)) && !tree_.head(file, 1).empty()) continue;
      if (one != nullptr)
        return {{}, fmt::format("ambiguous labels: {} or {}", one->string(), file.string())};
      one = &file;
    }
    if (one == nullptr) return {};
    if (const std::size_t images = without_.at(stem); images > 1)
      return {{}, fmt::format("ambiguous labels: {} fits {} images", one->string(), images)};
    return {*one, {}};
  }

  /// By the rule of data 3.1, or beside the image; "" where neither is there.
  fs::path at_its_place(const fs::path& image) const {
    const fs::path usual = label_path(tree_.root / image).lexically_relative(tree_.root);
    if (tree_.has(usual)) return usual;
    const fs::path beside = fs::path(image).replace_extension(".txt");
    return tree_.has(beside) ? beside : fs::path();
  }

 private:
  const SourceTree& tree_;
  std::unordered_map<std::string, std::vector<fs::path>> by_stem_;
  std::unordered_map<std::string, std::size_t> without_;  ///< images of a stem without a file there
};

struct YoloImport {
  const Reading& reading;
  YoloLayout layout;
  AnnotatedSet set = {};
  std::size_t quads = 0, polygons = 0;
  int highest_class = -1;
  LongRows long_rows = {};
  fs::path last_labels = {};  ///< of read_side_file()
  std::string last_content = {};
};

void read_labels(const fs::path& file, AnnotatedImage& image, YoloImport& work) {
  image.annotation = file;
  const YoloRowOptions options{work.layout.key_point_columns, work.reading.options.as_predictions,
                               work.layout.key_point_values};
  YoloRows rows;
  try {
    rows = parse_yolo_rows(work.reading.tree.read(file, 1u << 30), options, file);
  } catch (const Error& error) {
    image.fault = error.what();
    return;
  }
  work.long_rows.join(rows.long_rows);
  work.quads += rows.quads;
  image.objects = std::move(rows.objects);
  image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
  for (const AnnotatedObject& object : image.objects) {
    work.polygons += object.rings.empty() ? 0 : 1;
    work.highest_class = std::max(work.highest_class, object.class_index);
  }
}

void check_classes(YoloImport& work) {
  std::vector<std::string> names = work.layout.names;
  if (names.empty()) names = work.reading.options.names;
  if (names.empty()) {
    constexpr int most_classes = 100'000;
    for (int i = 0; i <= std::min(work.highest_class, most_classes); ++i)
      names.push_back(std::to_string(i));
    work.reading.account.notes.push_back(
        {work.reading.tree.root, 0,
         fmt::format("no file names the {} classes: they are called by their numbers; {} "
                     "gives them names",
                     names.size(), setting_name("names"))});
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    work.set.classes.push_back({names[i], std::to_string(i), {}, {}});
  const int count = static_cast<int>(names.size());
  for (AnnotatedImage& image : work.set.images)
    for (AnnotatedObject& object : image.objects)
      if (object.fault.empty() && object.class_index >= count)
        object.fault = fmt::format("class {} is out of range 0..{}", object.class_index, count - 1);
}

/// Rows of four corners are polygons here; whether they were meant as turned boxes, only the set
/// says.
void note_quads(const YoloImport& work) {
  if (work.quads > 0 && work.quads == work.polygons)
    work.reading.account.notes.push_back(
        {work.reading.tree.root, 0,
         fmt::format(
             "{} rows have four corners each, like turned boxes: they are kept as polygons, "
             "and the box around them counts",
             work.quads)});
}

std::string row_text(std::string_view content, std::size_t row) {
  for (const std::string_view raw : text::lines(content)) {
    const std::string_view line = text::trim(raw);
    if (!line.empty() && row-- == 0) return std::string(line);
  }
  return {};
}

/// A line about a class: the names of its key points, which rows number, and the lines between
/// them.
std::string take_class(const json& line, YoloImport& work) {
  const auto number = number_at(line, "class");
  const json *points = member(line, "points"), *joints = member(line, "joints");
  if (!number || !(*number >= 0 && *number < static_cast<double>(work.set.classes.size())) ||
      !points->is_array())
    return "expected the class of these key points";
  AnnotatedClass& owner = work.set.classes[static_cast<std::size_t>(*number)];
  std::map<std::string, std::string> names;
  std::set<std::string> seen;
  owner.point_names.clear();
  for (const json& one : *points) {
    if (!one.is_string() || !seen.insert(one.get<std::string>()).second)
      return "expected names of key points, each once, found " + shown(&one);
    names.emplace(point_number(owner.point_names.size()), one.get<std::string>());
    owner.point_names.push_back(one.get<std::string>());
  }
  if (joints != nullptr) owner.joints = joints_of(*joints, owner.point_names.size(), 0);
  for (AnnotatedImage& image : work.set.images)
    for (AnnotatedObject& object : image.objects)
      if (object.class_index == static_cast<int>(*number))
        for (KeyPoint& point : object.key_points)
          if (const auto found = names.find(point.name); found != names.end())
            point.name = found->second;
  return "";
}

/// One line of annotations.extra.jsonl. Returns what is wrong with it, or "".
std::string take_extra(const json& line, const std::map<std::string, AnnotatedImage*>& images,
                       YoloImport& work) {
  if (member(line, "points") != nullptr) return take_class(line, work);
  const std::string name = text_at(line, "image");
  const auto found = images.find(name);
  if (found == images.end())
    return fmt::format("'{}' is no image of this data set", text::printable(name));
  AnnotatedImage& image = *found->second;
  if (const json* own = member(line, "image_id")) image.id = id_of(own).value_or("");
  if (const json* tags = member(line, "tags")) image.tags = attributes_of(*tags);
  const json* row = member(line, "row");
  if (row == nullptr && member(line, "box") == nullptr) return "";  // about the image alone
  if (row != nullptr) {
    const auto number = number_of(row);
    if (!number || *number < 0 || *number >= static_cast<double>(image.objects.size()))
      return fmt::format("{} has no row {}", image.annotation.string(), shown(row));
    const auto place = static_cast<std::size_t>(*number);
    if (work.last_labels != image.annotation) {
      work.last_content = work.reading.tree.read(image.annotation);
      work.last_labels = image.annotation;
    }
    if (row_text(work.last_content, place) != text_at(line, "label"))
      return fmt::format("row {} of {} has changed since: what stands here is left out", place,
                         image.annotation.string());
    AnnotatedObject object = image.objects[place];
    const std::string fault = take_properties(line, object);
    if (fault.empty()) image.objects[place] = std::move(object);
    return fault;
  }
  const auto box = numbers_of(member(line, "box"));
  const auto class_index = number_at(line, "class");
  if (!box || box->size() != 4 || !class_index || *class_index < 0 ||
      *class_index >= static_cast<double>(work.set.classes.size()))
    return "expected box and class of an object without a row";
  AnnotatedObject object;
  object.class_index = static_cast<int>(*class_index);
  object.box = {(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
  const std::string fault = take_properties(line, object);
  if (fault.empty()) {
    image.objects.push_back(std::move(object));
    image.state = ImageState::annotated;
  }
  return fault;
}

/// What this program wrote beside the labels because they have no place for it. Its coordinates are
/// fractions, as those of the labels.
void read_side_file(YoloImport& work) {
  const SourceTree& tree = work.reading.tree;
  if (!tree.has(yolo_side_file)) return;
  std::map<std::string, AnnotatedImage*> images;
  for (AnnotatedImage& image : work.set.images)
    if (image.picture) images[tree.images[*image.picture].relative.generic_string()] = &image;
  int number = 0;
  const std::string content = tree.read(yolo_side_file);
  for (const std::string_view line : text::lines(content)) {
    ++number;
    if (text::trim(line).empty()) continue;
    std::string fault;
    try {
      fault = take_extra(parse_json(line, yolo_side_file), images, work);
    } catch (const Error& error) {
      fault = error.what();
    }
    if (!fault.empty())
      work.reading.account.notes.push_back({yolo_side_file, number, std::move(fault)});
  }
}

/// Label files of which no image has the name: they are dropped by name, with their boxes counted.
void read_labels_without_image(YoloImport& work) {
  const SourceTree& tree = work.reading.tree;
  const std::set<std::string> stems = tree.image_stems();
  for (const fs::path& file : tree.with_extension(".txt")) {
    if (stems.contains(file.stem().string()) || !is_yolo_text(tree.head(file, 4096))) continue;
    AnnotatedImage image;
    image.written = file.generic_string();
    image.split = split_of_folders(file);
    image.fractions = true;
    read_labels(file, image, work);
    image.missing = true;
    image.fault = "label file without an image";
    work.set.images.push_back(std::move(image));
  }
}

AnnotatedImage image_at(std::size_t place, const std::string& split, const Reading& reading) {
  const fs::path& relative = reading.tree.images[place].relative;
  AnnotatedImage image;
  image.written = relative.generic_string();
  image.picture = place;
  image.split = split;
  image.fractions = true;
  image.annotation = relative;
  return image;
}

/// Images that are in none of the splits, but have a label file: its boxes are counted, and dropped
/// with the image. Those around one file that was named are of other sets.
void read_images_without_split(const Labels& labels, YoloImport& work) {
  const Reading& reading = work.reading;
  if (reading.tree.one_file) return;
  std::vector<bool> listed(reading.tree.images.size());
  for (const YoloLayout::Entry& entry : work.layout.entries) listed[entry.image] = true;
  YoloImport apart{reading, work.layout};  // what its rows look like says nothing about the set
  for (std::size_t i = 0; i < listed.size(); ++i) {
    check_stop(reading.stop);
    if (listed[i]) continue;
    const fs::path file = labels.at_its_place(reading.tree.images[i].relative);
    if (file.empty()) continue;
    AnnotatedImage image = image_at(i, "train", reading);  // any: it is dropped
    read_labels(file, image, apart);
    image.fault = "in none of the splits, which are " + work.layout.split_rule;
    work.set.images.push_back(std::move(image));
  }
}

void read_images(YoloImport& work) {
  const Reading& reading = work.reading;
  const Labels labels(reading.tree, work.layout.entries);
  for (const YoloLayout::Entry& entry : work.layout.entries) {
    check_stop(reading.stop);
    AnnotatedImage image = image_at(entry.image, entry.split, reading);
    FoundLabels found = labels.of(reading.tree.images[entry.image].relative);
    image.fault = std::move(found.fault);
    if (found.file.empty())
      image.state = ImageState::not_annotated;
    else
      read_labels(found.file, image, work);
    work.set.images.push_back(std::move(image));
  }
  read_images_without_split(labels, work);
  read_labels_without_image(work);
}

/// Where no data.yaml says what long rows are, all of them together do.
YoloImport read_rows(const Reading& reading) {
  YoloImport work{reading, find_yolo_layout(reading)};
  read_images(work);
  if (!work.layout.no_key_points && hold_key_points(work.long_rows)) {
    const LongRows rows = work.long_rows;
    reading.account.notes.push_back({rows.file, rows.line, key_point_reason(rows)});
    YoloLayout layout = std::move(work.layout);
    layout.key_point_columns = rows.columns - label_box_columns;
    layout.key_point_values = rows.points3 == rows.rows ? 3 : 2;
    YoloImport again{reading, std::move(layout)};
    read_images(again);
    return again;
  }
  return work;
}

}  // namespace

AnnotatedSet read_yolo(const Reading& reading) {
  YoloImport work = read_rows(reading);
  work.set.split_rule = work.layout.split_rule;
  check_classes(work);
  note_quads(work);
  const YoloLayout& layout = work.layout;
  number_points(work.set,
                layout.key_point_columns / static_cast<std::size_t>(layout.key_point_values));
  read_side_file(work);
  return std::move(work.set);
}

}  // namespace yolov7::dataset
