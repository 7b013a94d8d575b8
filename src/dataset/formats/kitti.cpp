// KITTI object labels (Geiger et al., "Are we ready for autonomous driving?", CVPR 2012): 15
// columns, 16 with a score; counted from the right, because class names with blanks occur.
#include <fmt/format.h>

#include <cmath>

#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/text_rows.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t numbers_without_score = 14;

/// The numbers at the end of a row, 14 or 15, and the class before them; or what is wrong.
std::string split_row(std::string_view row, std::string& name, std::vector<double>& numbers) {
  const auto tokens = text::split_blank(row);
  std::size_t first = 1;
  double value = 0;
  while (first < tokens.size() && !read_number(tokens[first], value)) ++first;
  if (tokens.size() > first + numbers_without_score + 1) {
    // A number in the name: the columns stand behind its last word.
    for (first = tokens.size(); first > 1 && read_number(tokens[first - 1], value);) --first;
    if (tokens.size() > first + numbers_without_score + 1)
      return fmt::format(
          "expected a class and 14 or 15 numbers, found {} numbers: with a class that ends with a "
          "number, nothing tells whether the last one is a score",
          tokens.size() - first);
  }
  if (tokens.size() < first + numbers_without_score)
    return fmt::format("expected a class and 14 or 15 numbers, found {} columns", tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i < first) {
      name += (i == 0 ? "" : " ") + std::string(tokens[i]);
    } else {
      if (!read_number(tokens[i], value))
        return fmt::format("expected a number in column {}, found '{}'", i + 1,
                           text::printable(tokens[i].substr(0, 40)));
      numbers.push_back(value);
    }
  }
  return "";
}

bool is_kitti(std::string_view head) {
  for (const std::string_view line : text::lines(head)) {
    if (text::trim(line).empty()) continue;
    std::string name;
    std::vector<double> n;
    double number = 0;
    return split_row(text::trim(line), name, n).empty() && !read_number(name, number) &&
           n[1] == std::floor(n[1]) && n[1] >= -1 && n[1] <= 3;
  }
  return false;
}

bool detect(const SourceTree& tree) { return any_text_file(tree, is_kitti); }

AnnotatedObject read_row(std::string_view row, int line, AnnotatedSet& set,
                         std::map<std::string, int>& index) {
  AnnotatedObject object;
  object.line = line;
  std::string name;
  std::vector<double> n;
  object.fault = split_row(row, name, n);
  if (!object.fault.empty()) return object;
  object.class_index = class_named(set, index, name);
  object.box = {n[3], n[4], n[5], n[6]};
  object.ignore = name == "DontCare";
  object.truncated = n[0] > 0;
  object.occluded = n[1] > 0;
  if (n[0] > 0 && n[0] != 1) object.attributes.push_back({"truncation", n[0]});
  if (n[1] > 1) object.attributes.push_back({"occlusion", n[1]});
  bool known = n[2] != -10 && n[2] != -1;
  std::string space = number_text(n[2]);
  for (std::size_t i = 7; i < numbers_without_score; ++i) {
    known |= n[i] != -1 && n[i] != -1000 && n[i] != -10;
    space += " " + number_text(n[i]);
  }
  if (known) object.attributes.push_back({"kitti_3d", space});
  if (n.size() > numbers_without_score) object.score = n[numbers_without_score];
  return object;
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  read_text_files(reading, set, is_kitti, "image_2",
                  [&](std::string_view text, AnnotatedImage& image) {
                    int line = 0;
                    for (const std::string_view row : text::lines(text)) {
                      ++line;
                      if (!text::trim(row).empty())
                        image.objects.push_back(read_row(text::trim(row), line, set, index));
                    }
                  });
  return set;
}

double number_in(const AnnotatedObject& object, const char* name, double otherwise) {
  const Attribute* one = find_attribute(object.attributes, name);
  const double* number = one == nullptr ? nullptr : std::get_if<double>(&one->value);
  return number == nullptr ? otherwise : *number;
}

std::string row_of(const AnnotatedObject& object, std::string name) {
  for (char& c : name)
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') c = '_';
  const Attribute* space = find_attribute(object.attributes, "kitti_3d");
  const std::string all =
      space == nullptr ? "-10 -1 -1 -1 -1000 -1000 -1000 -10" : text_of(space->value);
  const auto blank = all.find(' ');
  const Xyxy& box = object.box;
  return fmt::format("{} {} {} {} {} {} {} {}{}{}\n", object.ignore ? "DontCare" : name,
                     number_text(number_in(object, "truncation", object.truncated ? 1 : 0)),
                     number_text(number_in(object, "occlusion", object.occluded ? 1 : 0)),
                     all.substr(0, blank), number_text(box.x1), number_text(box.y1),
                     number_text(box.x2), number_text(box.y2), all.substr(blank),
                     object.score ? " " + number_text(*object.score) : "");
}

void write(const Writing& writing) {
  const auto folder = [](const std::string& split) {
    return split == "train"  ? std::string("training")
           : split == "test" ? std::string("testing")
                             : split;
  };
  const std::vector<fs::path> places =
      copy_images(writing, [&](const std::string& split) { return folder(split) + "/image_2"; });
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    if (image.state == ImageState::not_annotated && image.objects.empty()) continue;
    std::string rows;
    for (const AnnotatedObject& object : image.objects)
      rows += row_of(object, class_name(writing, object));
    write_text_file(
        writing,
        fs::path(folder(image.split)) / "label_2" / places[i].filename().replace_extension(".txt"),
        rows);
  }
  for (const AnnotatedClass& one : writing.set.classes)
    if (one.name.find_first_of(" \t\r\n") != std::string::npos)
      writing.account.notes.push_back(
          {"label_2", 0, fmt::format("blanks in the class '{}' are written as _", one.name)});
}

}  // namespace

Format kitti_format() {
  Format format;
  format.name = "kitti";
  format.title = "KITTI";
  format.spellings = {"kitti-detection"};
  format.description = "a text file per image in label_2, 15 columns";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.ignore = holds.truncated = holds.occluded = holds.score = Keep::yes;
  holds.not_annotated = Keep::no_file;
  format.limits_words =
      "an ignored region is of the class DontCare, and what is of that class is ignored; blanks in "
      "class names are written as _. Of attributes the numbers truncation and occlusion and "
      "kitti_3d are kept.";
  format.keeps_attribute = [](const Attribute& one) {
    return one.name == "kitti_3d" || ((one.name == "truncation" || one.name == "occlusion") &&
                                      std::holds_alternative<double>(one.value));
  };
  format.limits = [](AnnotatedSet& set) {
    const int ignored = static_cast<int>(set.classes.size());
    set.classes.push_back({"DontCare", {}, {}, {}});
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects)
        if (object.ignore ||
            set.classes[static_cast<std::size_t>(object.class_index)].name == "DontCare") {
          object.ignore = true;
          object.class_index = ignored;
        }
  };
  return format;
}

}  // namespace yolov7::dataset
