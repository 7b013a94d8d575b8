#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/record_file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/tfrecord.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

const std::set<std::string, std::less<>> known_features = {"image/encoded",
                                                           "image/filename",
                                                           "image/format",
                                                           "image/source_id",
                                                           "image/width",
                                                           "image/height",
                                                           "image/channels",
                                                           "image/colorspace",
                                                           "image/key/sha256",
                                                           "image/object/bbox/xmin",
                                                           "image/object/bbox/xmax",
                                                           "image/object/bbox/ymin",
                                                           "image/object/bbox/ymax",
                                                           "image/object/class/text",
                                                           "image/object/class/label",
                                                           "image/object/is_crowd",
                                                           "image/object/difficult",
                                                           "image/object/truncated",
                                                           "image/object/view",
                                                           "image/object/area",
                                                           "image/object/group_of"};

const TfFeature& feature(const TfExample& example, std::string_view name) {
  static const TfFeature none;
  const auto found = example.find(name);
  return found == example.end() ? none : found->second;
}

int whole(const TfExample& example, const char* name) {
  const TfFeature& one = feature(example, name);
  return one.integers.size() == 1 && one.integers[0] > 0 && one.integers[0] < 1'000'000'000
             ? static_cast<int>(one.integers[0])
             : 0;
}

std::string text_of(const TfExample& example, const char* name) {
  const TfFeature& one = feature(example, name);
  return one.texts.empty() ? "" : std::string(one.texts.front());
}

struct Names {
  AnnotatedSet& set;
  std::map<std::string, int> index;
  std::map<std::int64_t, std::string> by_number;
};

/// The class by its text, or by its number where that is empty.
void take_class(const TfExample& example, std::size_t i, Names& names, AnnotatedObject& object) {
  const TfFeature& texts = feature(example, "image/object/class/text");
  const TfFeature& numbers = feature(example, "image/object/class/label");
  std::string name = i < texts.texts.size() ? std::string(texts.texts[i]) : "";
  if (name.empty() && i < numbers.integers.size()) {
    const auto known = names.by_number.find(numbers.integers[i]);
    if (known != names.by_number.end())
      name = known->second;
    else
      object.fault = fmt::format("no class: its number {} is in no label map, and it has no text",
                                 numbers.integers[i]);
  } else if (name.empty()) {
    object.fault = "no class: neither text nor number";
  }
  if (!name.empty()) object.class_index = class_named(names.set, names.index, name);
}

void take_boxes(const TfExample& example, Names& names, AnnotatedImage& image) {
  const char* edges[] = {"image/object/bbox/xmin", "image/object/bbox/ymin",
                         "image/object/bbox/xmax", "image/object/bbox/ymax"};
  const std::vector<float>* n[4];
  std::size_t count = 0;
  for (int k = 0; k < 4; ++k) {
    n[k] = &feature(example, edges[k]).reals;
    count = std::max(count, n[k]->size());
  }
  for (int k = 0; k < 4; ++k)
    if (n[k]->size() != count)
      throw Error(fmt::format("expected {} numbers in {}, as in the other edges, found {}", count,
                              edges[k], n[k]->size()));
  const auto flag = [&](const char* name, std::size_t i) {
    const TfFeature& one = feature(example, name);
    return i < one.integers.size() && one.integers[i] != 0;
  };
  for (std::size_t i = 0; i < count; ++i) {
    AnnotatedObject object;
    object.box = {(*n[0])[i], (*n[1])[i], (*n[2])[i], (*n[3])[i]};
    take_class(example, i, names, object);
    const Xyxy& b = object.box;
    if (!std::isfinite(b.x1) || !std::isfinite(b.y1) || !std::isfinite(b.x2) ||
        !std::isfinite(b.y2))
      object.fault = "a corner of its box is no finite number";
    if (!object.fault.empty()) object.fault = fmt::format("object {}: {}", i, object.fault);
    object.crowd = flag("image/object/is_crowd", i) || flag("image/object/group_of", i);
    object.difficult = flag("image/object/difficult", i);
    object.truncated = flag("image/object/truncated", i);
    image.objects.push_back(std::move(object));
  }
  if (count == 0) image.state = ImageState::empty_on_purpose;
}

/// The image in the record; else the file that it names.
void find_image(const fs::path& file, std::size_t number, const TfExample& example,
                const Reading& reading, AnnotatedImage& image) {
  const fs::path inside = unpacked_place(file, number, example);
  if (inside.empty()) {
    reading.finder.assign(image, {file.parent_path(), file.parent_path() / "images"},
                          reading.account.notes);
    return;
  }
  image.picture = reading.finder.at(inside);
  if (!image.picture && image.fault.empty()) image.fault = "its image was not unpacked";
}

void read_file(const fs::path& file, const Reading& reading, Names& names,
               std::map<std::string, std::size_t>& unknown) {
  const std::string content = reading.tree.read(file);
  RecordReader records(content);
  while (records.next()) {
    check_stop(reading.stop);
    AnnotatedImage image;
    image.annotation = file;
    image.shares_file = true;
    image.fractions = true;
    image.split = split_of_file(file);
    TfExample example;
    try {
      example = parse_example(records.data());
      image.written = text_of(example, "image/filename");
      if (image.written.empty()) image.written = fmt::format("record {}", records.number());
      image.id = text_of(example, "image/source_id");
      image.written_width = whole(example, "image/width");
      image.written_height = whole(example, "image/height");
      if (image.written_width == 0 || image.written_height == 0)
        image.written_width = image.written_height = 0;
      take_boxes(example, names, image);
    } catch (const Error& error) {
      image.fault = fmt::format("record {}: {}", records.number(), error.what());
    }
    for (const auto& [name, value] : example)
      if (!known_features.contains(name)) ++unknown[name];
    find_image(file, records.number(), example, reading, image);
    names.set.images.push_back(std::move(image));
  }
}

}  // namespace

AnnotatedSet read_tfrecord(const Reading& reading) {
  AnnotatedSet set;
  Names names{set, {}, {}};
  for (const fs::path& path : reading.tree.files) {
    const std::string extension = text::lower(path.extension().string());
    if (extension != ".pbtxt") continue;
    for (const auto& [number, name] :
         parse_label_map(reading.tree.read(path, 16u << 20), (reading.tree.root / path).string())) {
      const auto place = static_cast<std::size_t>(class_named(set, names.index, name));
      set.classes[place].id = std::to_string(number);
      names.by_number.emplace(number, name);
    }
  }
  std::map<std::string, std::size_t> unknown;
  for (const fs::path& file : record_files(reading.tree)) read_file(file, reading, names, unknown);
  for (const auto& [name, count] : unknown)
    reading.account.notes.push_back(
        {reading.tree.root, 0,
         fmt::format("'{}' of {} records is not kept", text::printable(name), count)});
  return set;
}

}  // namespace yolov7::dataset
