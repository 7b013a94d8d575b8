// WIDER FACE text (Yang et al., "WIDER FACE: a face detection benchmark", CVPR 2016): blocks of a
// path, a count and rows. A count of 0 is followed by one row of zeros.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/xml_file.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t columns = 10;
constexpr std::array<const char*, columns> names = {
    "x", "y", "w", "h", "blur", "expression", "illumination", "invalid", "occlusion", "pose"};

/// A path, then a count, at the beginning.
bool is_widerface(std::string_view head) {
  std::vector<std::string_view> lines;
  for (const std::string_view line : text::lines(head)) {
    if (text::trim(line).empty()) continue;
    lines.push_back(text::trim(line));
    if (lines.size() == 3) break;
  }
  if (lines.size() < 3 || !is_picture_name(fs::path(lines[0])) || !text::parse_int(lines[1]))
    return false;
  const auto tokens = text::split_blank(lines[2]);
  double number = 0;
  return tokens.size() >= 4 && std::all_of(tokens.begin(), tokens.begin() + 4,
                                           [&](auto token) { return read_number(token, number); });
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".txt"))
    if (is_widerface(tree.head(file, 4096))) return true;
  return false;
}

/// Columns, or four numbers and a class, as datumaro writes them.
AnnotatedObject read_row(std::string_view row, int line, AnnotatedSet& set,
                         std::map<std::string, int>& index) {
  AnnotatedObject object;
  object.line = line;
  auto tokens = text::split_blank(row);
  double number = 0;
  std::string name = "face";
  if (tokens.size() > 4 && tokens.size() < columns && !read_number(tokens.back(), number)) {
    name = tokens.back();
    tokens.pop_back();
  }
  object.class_index = class_named(set, index, name);
  std::array<double, columns> n{};
  if (tokens.size() < 4) {
    object.fault = fmt::format("expected x y w h and six marks, found {} columns", tokens.size());
    return object;
  }
  for (std::size_t i = 0; i < std::min(tokens.size(), columns); ++i)
    if (!read_number(tokens[i], n[i])) {
      object.fault = fmt::format("expected a number in column {}, found '{}'", i + 1,
                                 text::printable(tokens[i].substr(0, 40)));
      return object;
    }
  object.box = {n[0], n[1], n[0] + n[2], n[1] + n[3]};
  object.ignore = n[7] != 0;
  object.occluded = n[8] != 0;
  for (const std::size_t i : {4u, 5u, 6u, 8u, 9u})
    if (n[i] != 0 && !(i == 8 && n[i] == 1)) object.attributes.push_back({names[i], n[i]});
  return object;
}

/// "wider_face_train_bbx_gt" → "train".
std::string split_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  for (const std::string_view part : text::split(stem, '_'))
    if (const std::string split = split_name(part);
        split == "train" || split == "val" || split == "test")
      return split;
  return "";
}

void read_file(const fs::path& path, const Reading& reading, AnnotatedSet& set,
               std::map<std::string, int>& index) {
  const std::string split = split_of(path), content = reading.tree.read(path);
  const std::vector<std::string_view> lines = text::lines(content);
  const fs::path folder = path.parent_path();
  const std::string images = "WIDER_" + split + "/images";
  for (std::size_t at = 0; at < lines.size();) {
    check_stop(reading.stop);
    const std::string_view name = text::trim(lines[at]);
    if (name.empty()) {
      ++at;
      continue;
    }
    AnnotatedImage image;
    image.annotation = path;
    image.line = static_cast<int>(at) + 1;
    image.shares_file = true;
    image.split = split;
    image.written = name;
    const auto count = at + 1 < lines.size() ? text::parse_int(text::trim(lines[at + 1]))
                                             : std::optional<std::int64_t>();
    at += 2;
    if (!count || *count < 0 || static_cast<std::size_t>(*count) > lines.size()) {
      image.fault = "expected the number of faces in the line after the path";
      set.images.push_back(std::move(image));
      return;  // nothing behind it can be told apart
    }
    for (std::int64_t i = 0; i < *count && at < lines.size(); ++i, ++at)
      image.objects.push_back(read_row(lines[at], static_cast<int>(at) + 1, set, index));
    if (image.objects.size() < static_cast<std::size_t>(*count))
      image.fault = fmt::format("expected {} faces, found the end of the file after {}", *count,
                                image.objects.size());
    if (*count == 0 && at < lines.size() && text::split_blank(lines[at]).size() == columns) ++at;
    image.state = *count == 0 ? ImageState::empty_on_purpose : ImageState::annotated;
    reading.finder.assign(image, {folder / ".." / images, fs::path(images), folder},
                          reading.account.notes);
    set.images.push_back(std::move(image));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".txt"))
    if (is_widerface(reading.tree.head(path, 4096))) read_file(path, reading, set, index);
  if (set.classes.empty()) set.classes.push_back({"face", {}, {}, {}});
  return set;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places = copy_images(
      writing, [](const std::string& split) { return "WIDER_" + split + "/images/0--All"; });
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    std::string& text = texts[image.split];
    text += fmt::format("0--All/{}\n{}\n", places[i].filename().string(), image.objects.size());
    if (image.objects.empty()) text += "0 0 0 0 0 0 0 0 0 0\n";
    for (const AnnotatedObject& object : image.objects) {
      const Xyxy& box = object.box;
      text += fmt::format("{} {} {} {}", number_text(box.x1), number_text(box.y1),
                          number_text(box.width()), number_text(box.height()));
      for (std::size_t k = 4; k < columns; ++k) {
        const Attribute* one = find_attribute(object.attributes, names[k]);
        const double* number = one == nullptr ? nullptr : std::get_if<double>(&one->value);
        const double value = k == 7              ? (object.ignore ? 1 : 0)
                             : number != nullptr ? *number
                             : k == 8            ? (object.occluded ? 1 : 0)
                                                 : 0;
        text += " " + number_text(value);
      }
      text += "\n";
    }
  }
  for (const auto& [split, text] : texts)
    write_text_file(writing, fmt::format("wider_face_split/wider_face_{}_bbx_gt.txt", split), text);
  if (writing.set.classes.size() > 1)
    writing.account.losses.push_back(
        {"class: WIDER FACE has one, all boxes become faces", writing.account.boxes.out, ""});
}

}  // namespace

Format widerface_format() {
  Format format;
  format.name = "widerface";
  format.title = "WIDER FACE text";
  format.spellings = {"wider-face", "wider"};
  format.description = "blocks of a path, a count and rows x y w h with marks; one class";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.ignore = holds.occluded = Keep::yes;
  format.limits_words =
      "every box becomes a face, the one class. Of attributes the numbers blur, expression, "
      "illumination, occlusion and pose are kept.";
  format.keeps_attribute = [](const Attribute& one) {
    const auto place = std::find(names.begin(), names.end(), one.name);
    return place - names.begin() >= 4 && place != names.end() && one.name != names[7] &&
           std::holds_alternative<double>(one.value);
  };
  format.limits = [](AnnotatedSet& set) {
    set.classes = {{"face", {}, {}, {}}};
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects) object.class_index = 0;
  };
  return format;
}

}  // namespace yolov7::dataset
