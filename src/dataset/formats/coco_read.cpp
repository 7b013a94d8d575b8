// COCO JSON and its dialects: Roboflow's dummy class, CVAT's and Datumaro's attributes and
// rotation, Label Studio's ids from 0 and missing sizes, masks as runs in a list or as text.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/coco.hpp"
#include "dataset/formats/coco_object.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

struct Category {
  AnnotatedClass as_class;
  bool defined = false, used = false;
};

/// One annotation whose image and category may be defined further down.
struct Row {
  std::string image_id;
  std::size_t number = 0;  ///< in `annotations`, from 0
  AnnotatedObject object;  ///< class_index: place in File::categories
};

struct File {
  fs::path path;
  std::vector<Category> categories;
  std::unordered_map<std::string, std::size_t> category_of;  ///< id → place
  std::vector<AnnotatedImage> images;
  std::unordered_map<std::string, std::size_t> image_of;  ///< id → place
  std::vector<Row> rows;
  std::map<std::string, std::size_t> unknown;  ///< members that are not kept
  std::string fault;
  std::size_t annotations = 0;
  bool has_annotations = true;  ///< the key, though the list may be empty

  std::size_t category(const std::string& id) {
    const auto [place, fresh] = category_of.emplace(id, categories.size());
    if (fresh) {
      categories.emplace_back();
      categories.back().as_class.id = id;
    }
    return place->second;
  }
};

/// Names of key points, and the skeleton, whose points are numbered from 1.
void read_points(const json& piece, AnnotatedClass& category, const File& file,
                 Conversion& account) {
  const json* names = member(piece, "keypoints");
  if (names == nullptr || !names->is_array()) return;
  std::set<std::string> seen;
  for (const json& one : *names)
    if (one.is_string() && seen.insert(one.get<std::string>()).second)
      category.point_names.push_back(one.get<std::string>());
  if (category.point_names.size() < names->size()) {
    account.notes.push_back(
        {file.path, 0,
         fmt::format("category {}: its key points have no names of their own: they are called by "
                     "their numbers",
                     text::printable(category.id))});
    category.point_names.clear();
    for (std::size_t i = 0; i < names->size(); ++i) category.point_names.push_back(point_number(i));
  }
  if (const json* skeleton = member(piece, "skeleton"))
    category.joints = joints_of(*skeleton, names->size(), 1);
}

void read_category(const json& piece, File& file, Conversion& account) {
  const auto id = id_of(member(piece, "id"));
  if (!id) {
    account.notes.push_back(
        {file.path, 0, fmt::format("a category without a usable id: {}", shown(&piece))});
    return;
  }
  Category& category = file.categories[file.category(*id)];
  std::string name = text_at(piece, "name");
  if (name.empty()) name = *id;
  if (category.defined) {
    account.notes.push_back(
        {file.path, 0,
         fmt::format("category {} is defined twice: as '{}' and as '{}'; the first "
                     "counts",
                     text::printable(*id), text::printable(category.as_class.name),
                     text::printable(name))});
    return;
  }
  category.defined = true;
  category.as_class = {name, *id, text_at(piece, "supercategory"), text_at(piece, "color")};
  read_points(piece, category.as_class, file, account);
}

void read_image(const json& piece, File& file) {
  AnnotatedImage image;
  image.annotation = file.path;
  image.shares_file = true;
  image.written = text_at(piece, "file_name");
  if (image.written.empty()) image.written = text_at(piece, "coco_url");
  image.written_width = size_at(piece, "width");
  image.written_height = size_at(piece, "height");
  if (image.written_width == 0 || image.written_height == 0)
    image.written_width = image.written_height = 0;
  const auto id = id_of(member(piece, "id"));
  if (!id) {
    image.fault = fmt::format("expected an image id, found {}", shown(member(piece, "id")));
  } else {
    image.id = *id;
    const auto [first, fresh] = file.image_of.emplace(*id, file.images.size());
    if (!fresh)
      image.fault = fmt::format(
          "the image id {} is used by an image before, '{}', on which all boxes of this id stand",
          text::printable(*id), text::printable(file.images[first->second].written));
  }
  file.images.push_back(std::move(image));
}

void count_unknown(const json& piece, File& file) {
  static const std::set<std::string> known = {
      "id",      "image_id", "category_id", "bbox",       "segmentation", "area",
      "iscrowd", "ignore",   "score",       "attributes", "keypoints",    "num_keypoints"};
  for (const auto& [name, value] : piece.items())
    if (!known.contains(name)) ++file.unknown[name];
}

void read_annotation(const json& piece, std::size_t number, File& file, Conversion& account) {
  if (!piece.is_object()) {
    ++account.boxes.in;
    account.drop(
        {"box", file.path, 0, 1,
         fmt::format("annotations[{}]: expected an object, found {}", number, shown(&piece))});
    return;
  }
  if (member(piece, "bbox") == nullptr && member(piece, "segmentation") == nullptr) {
    const bool caption = member(piece, "caption") != nullptr;
    if (caption || member(piece, "segments_info") != nullptr) {
      ++account.not_boxes[caption ? "caption" : "panoptic segmentation"];
      return;
    }
  }
  Row row;
  row.number = number;
  row.image_id = id_at(piece, "image_id");
  AnnotatedObject& object = row.object;
  object.id = id_at(piece, "id");
  const std::string left_out = read_coco_segmentation(member(piece, "segmentation"), object);
  if (!left_out.empty())
    account.notes.push_back(
        {file.path, 0, fmt::format("annotations[{}]: {}; its box is kept", number, left_out)});
  read_coco_box(member(piece, "bbox"), object);
  if (const json* attributes = member(piece, "attributes"))
    take_coco_attributes(*attributes, object);
  if (const std::string fault = read_coco_points(member(piece, "keypoints"), object);
      !fault.empty())
    account.notes.push_back(
        {file.path, 0, fmt::format("annotations[{}]: {}; its box is kept", number, fault)});
  object.crowd = flag_at(piece, "iscrowd");
  object.ignore = flag_at(piece, "ignore");
  object.score = number_at(piece, "score");
  count_unknown(piece, file);
  const auto category = id_of(member(piece, "category_id"));
  if (!category && object.fault.empty())
    object.fault = "expected a category id, found " + shown(member(piece, "category_id"));
  if (category) {
    const std::size_t place = file.category(*category);
    file.categories[place].used = true;
    object.class_index = static_cast<int>(place);
  }
  file.rows.push_back(std::move(row));
}

/// Each once: the files of the splits of one set mostly have the same.
void keep_licence(const std::string& licence, AnnotatedSet& set) {
  std::string& all = set.residue["coco.licenses"];
  if (all.find(licence) != std::string::npos) return;
  all += (all.empty() ? "" : ",") + licence;
}

bool has_key(std::string_view content, std::string_view key) {
  const std::string quoted = fmt::format("\"{}\"", key);
  for (auto at = content.find(quoted); at != std::string_view::npos;
       at = content.find(quoted, at + 1))
    if (text::trim(content.substr(at + quoted.size(), 16)).starts_with(':')) return true;
  return false;
}

/// By its name: instances_train.json, _annotations.coco.json, labels.json.
bool claims_to_be_labels(const fs::path& path) {
  const std::string name = text::lower(path.filename().string());
  for (const char* word : {"instances", "annotation", "label", "keypoints"})
    if (name.find(word) != std::string::npos) return true;
  return false;
}

/// A file of images alone, such as COCO has of its test split, says nothing about their objects.
void note_without_annotations(File& file, const Reading& reading) {
  if (file.annotations > 0 || file.images.empty()) return;
  if (file.has_annotations) {
    reading.account.notes.push_back(
        {file.path, 0, fmt::format("none of its {} images has an annotation", file.images.size())});
    return;
  }
  if (claims_to_be_labels(file.path))
    throw Error(fmt::format("{}: expected the key 'annotations' beside its {} images, found none",
                            (reading.tree.root / file.path).string(), file.images.size()));
  for (AnnotatedImage& image : file.images) image.state = ImageState::not_annotated;
  reading.account.notes.push_back(
      {file.path, 0,
       fmt::format("it has no 'annotations': its {} images are not annotated",
                   file.images.size())});
}

File read_file(const fs::path& path, const Reading& reading, AnnotatedSet& set) {
  File file;
  file.path = path;
  std::map<std::string, std::size_t> counts;
  const std::string content = reading.tree.read(path);
  stream_json(content, (reading.tree.root / path).string(),
              [&](const std::string& name, json& piece) {
                const std::size_t number = counts[name]++;
                if (number % 1000 == 0) check_stop(reading.stop);
                if (name == "categories")
                  read_category(piece, file, reading.account);
                else if (name == "images")
                  read_image(piece, file);
                else if (name == "annotations")
                  read_annotation(piece, number, file, reading.account);
                else if (name == "info" && !piece.is_null())
                  set.residue.emplace("coco.info", json_text(piece));
                else if (name == "licenses")
                  keep_licence(json_text(piece), set);
              });
  file.annotations = counts["annotations"];
  file.has_annotations = file.annotations > 0 || has_key(content, "annotations");
  for (const auto& [name, count] : file.unknown)
    reading.account.notes.push_back(
        {path, 0, fmt::format("'{}' of {} annotations is not kept", text::printable(name), count)});
  return file;
}

/// instances_<split>.json, <split>.json, the last part of the name that is one, as in
/// person_keypoints_train.json, else another (train_annotations.json), or the folder's name.
std::string split_of(const fs::path& path) {
  const std::string stem = path.stem().string();
  const auto standard = [](const std::string& split) {
    return split == "train" || split == "val" || split == "test";
  };
  if (stem.starts_with("instances_")) return split_name(stem.substr(10));
  if (const std::string split = split_name(stem); standard(split)) return split;
  if (const auto last = stem.find_last_of('_'); last != std::string::npos)
    if (const std::string split = split_name(stem.substr(last + 1)); standard(split)) return split;
  return split_of_file(path);
}

std::vector<fs::path> image_folders(const fs::path& path) {
  const fs::path folder = path.parent_path();
  std::string name = path.stem().string();
  if (name.starts_with("instances_")) name.erase(0, 10);
  std::vector<fs::path> folders = {folder};
  for (const fs::path& base : {folder, folder / ".."})
    for (const fs::path& place : {fs::path(name), fs::path("images"), "images" / fs::path(name)})
      folders.push_back(base / place);
  return folders;
}

/// Roboflow's category 0 is the project itself: no class, if all the signs are there.
bool is_dummy(const Category& category, const std::vector<File>& files) {
  const AnnotatedClass& one = category.as_class;
  if (one.id != "0" || one.supercategory != "none") return false;
  bool parent = false;
  for (const File& file : files)
    for (const Category& other : file.categories) {
      if (other.as_class.id == "0" && other.used) return false;
      parent |= other.as_class.id != "0" && other.as_class.supercategory == one.name;
    }
  return parent;
}

/// By number where ids are numbers; texts behind them.
bool id_less(const std::string& a, const std::string& b) {
  const auto x = text::parse_int(a), y = text::parse_int(b);
  if (x && y) return *x < *y;
  if (x || y) return x.has_value();
  return a < b;
}

/// Classes of the set in order of their ids; the place of each category of `file` among them, or
/// −1.
std::vector<int> add_classes(const File& file, const std::vector<File>& files, AnnotatedSet& set,
                             std::map<std::string, int>& index, Conversion& account) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < file.categories.size(); ++i)
    if (file.categories[i].defined && !is_dummy(file.categories[i], files)) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return id_less(file.categories[a].as_class.id, file.categories[b].as_class.id);
  });
  std::vector<int> places(file.categories.size(), -1);
  std::set<int> here;
  for (const std::size_t i : order) {
    const AnnotatedClass& one = file.categories[i].as_class;
    const std::size_t before = set.classes.size();
    places[i] = class_named(set, index, one.name);
    if (set.classes.size() > before) set.classes.back() = one;
    if (!here.insert(places[i]).second)
      account.notes.push_back(
          {file.path, 0,
           fmt::format("several categories have the name '{}': they are one class",
                       text::printable(one.name))});
  }
  return places;
}

void add_rows(File& file, const std::vector<int>& places, Conversion& account) {
  for (Row& row : file.rows) {
    AnnotatedObject& object = row.object;
    if (object.class_index >= 0) {
      const Category& category = file.categories[static_cast<std::size_t>(object.class_index)];
      name_points(category.as_class.point_names, object);
      object.class_index = places[static_cast<std::size_t>(object.class_index)];
      if (object.class_index < 0 && object.fault.empty())
        object.fault =
            fmt::format("category {} is not defined", text::printable(category.as_class.id));
    }
    const auto image = file.image_of.find(row.image_id);
    if (image == file.image_of.end()) {
      ++account.boxes.in;
      account.drop({"box", file.path, 0, 1,
                    fmt::format("annotations[{}]: expected the id of an image in image_id, found "
                                "'{}', which none has",
                                row.number, text::printable(row.image_id))});
      continue;
    }
    if (object.id.empty() && !object.fault.empty())
      object.fault = fmt::format("annotations[{}]: {}", row.number, object.fault);
    AnnotatedImage& owner = file.images[image->second];
    if (std::string note = coco_mask_note(object); !note.empty())
      account.notes.push_back({owner.annotation, 0, std::move(note)});
    owner.objects.push_back(std::move(object));
  }
}

std::vector<fs::path> files_to_read(const Reading& reading) {
  std::vector<fs::path> all, instances;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!is_coco(reading.tree, path)) continue;
    all.push_back(path);
    if (path.filename().string().starts_with("instances_")) instances.push_back(path);
  }
  if (instances.empty()) return all;
  for (const fs::path& path : all)
    if (!path.filename().string().starts_with("instances_"))
      reading.account.notes.push_back(
          {path, 0, "left out: files named instances_… are there, which hold the boxes"});
  return instances;
}

}  // namespace

AnnotatedSet read_coco(const Reading& reading) {
  AnnotatedSet set;
  std::vector<File> files;
  for (const fs::path& path : files_to_read(reading))
    files.push_back(read_file(path, reading, set));
  std::map<std::string, int> index;
  for (File& file : files) {
    const std::vector<int> places = add_classes(file, files, set, index, reading.account);
    add_rows(file, places, reading.account);
    note_without_annotations(file, reading);
    const std::string split = split_of(file.path);
    const std::vector<fs::path> folders = image_folders(file.path);
    for (AnnotatedImage& image : file.images) {
      image.split = split;
      reading.finder.assign(image, folders, reading.account.notes);
      set.images.push_back(std::move(image));
    }
    file.rows.clear();
  }
  return set;
}

}  // namespace yolov7::dataset
