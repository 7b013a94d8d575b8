// DOTA text (Xia et al., "DOTA: a large-scale dataset for object detection in aerial images", CVPR
// 2018): four corners, class, difficult.
#include <fmt/format.h>

#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/text_rows.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool is_header(std::string_view line) {
  return line.starts_with("imagesource:") || line.starts_with("gsd:");
}

std::string split_row(std::string_view row, Ring& corners, std::string& name,
                      std::string& difficult) {
  const auto tokens = text::split_blank(row);
  constexpr std::size_t numbers = 8;
  if (tokens.size() < numbers + 1 || tokens.size() > numbers + 2)
    return fmt::format("expected 8 numbers, a class and difficult, found {} columns",
                       tokens.size());
  for (std::size_t i = 0; i < numbers; i += 2) {
    Point point;
    if (!read_number(tokens[i], point.x) || !read_number(tokens[i + 1], point.y))
      return fmt::format("expected numbers in columns {} and {}, found '{}'", i + 1, i + 2,
                         text::printable(row.substr(0, 40)));
    corners.push_back(point);
  }
  name = tokens[numbers];
  difficult = tokens.size() > numbers + 1 ? tokens[numbers + 1] : "0";
  double number = 0;
  return read_number(difficult, number) ? "" : "expected difficult as 0, 1 or 2 in column 10";
}

bool is_dota(std::string_view head) {
  for (const std::string_view raw : text::lines(head)) {
    const std::string_view line = text::trim(raw);
    if (line.empty() || is_header(line)) continue;
    Ring corners;
    std::string name, difficult;
    double number = 0;
    return split_row(line, corners, name, difficult).empty() && !read_number(name, number);
  }
  return false;
}

bool detect(const SourceTree& tree) { return any_text_file(tree, is_dota); }

AnnotatedObject read_row(std::string_view row, int line, AnnotatedSet& set,
                         std::map<std::string, int>& index) {
  AnnotatedObject object;
  object.line = line;
  Ring corners;
  std::string name, difficult;
  object.fault = split_row(row, corners, name, difficult);
  if (!object.fault.empty()) return object;
  object.class_index = class_named(set, index, name);
  object.box = box_around({corners});
  object.rotation = rotation_of(corners, 0.01);
  if (object.rotation && object.rotation->degrees == 0)
    object.rotation.reset();  // a plain box
  else
    object.rings.push_back(std::move(corners));
  object.difficult = difficult != "0";
  if (difficult == "2") object.attributes.push_back({"dota_difficult", 2.0});
  return object;
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  read_text_files(reading, set, is_dota, "images",
                  [&](std::string_view text, AnnotatedImage& image) {
                    int line = 0;
                    for (const std::string_view raw : text::lines(text)) {
                      const std::string_view row = text::trim(raw);
                      ++line;
                      if (!row.empty() && !is_header(row))
                        image.objects.push_back(read_row(row, line, set, index));
                    }
                  });
  return set;
}

std::string row_of(const AnnotatedObject& object, std::string name) {
  for (char& c : name)
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') c = '-';
  Ring corners = object.rotation ? corners_of(*object.rotation) : Ring();
  if (const Ring* ring = sole_polygon(object); ring != nullptr && ring->size() == 4)
    corners = *ring;
  if (corners.empty()) corners = corners_of({object.box, 0});
  std::string row;
  for (const Point& p : corners) row += number_text(p.x) + " " + number_text(p.y) + " ";
  const bool two = find_attribute(object.attributes, "dota_difficult") != nullptr;
  return row + fmt::format("{} {}\n", name, two ? 2 : object.difficult ? 1 : 0);
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return split + "/images"; });
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    if (image.state == ImageState::not_annotated && image.objects.empty()) continue;
    std::string rows;
    for (const AnnotatedObject& object : image.objects)
      rows += row_of(object, class_name(writing, object));
    write_text_file(
        writing,
        fs::path(image.split) / "labelTxt" / places[i].filename().replace_extension(".txt"), rows);
  }
}

}  // namespace

Format dota_format() {
  Format format;
  format.name = "dota";
  format.title = "DOTA text";
  format.spellings = {"dota-text", "labeltxt"};
  format.description = "a text file per image in labelTxt: four corners, class, difficult";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.quad = holds.rotation = holds.difficult = Keep::yes;
  holds.not_annotated = Keep::no_file;
  format.limits_words =
      "a turned box comes back with its four corners as a polygon besides, and four corners of a "
      "rectangle as a turned box; blanks in class names "
      "are written as -. Of attributes dota_difficult is kept, which is the number 2 for "
      "difficult.";
  format.keeps_attribute = [](const Attribute& one) { return one.name == "dota_difficult"; };
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects)
        if (object.rotation && object.rings.empty())
          object.rings = {corners_of(*object.rotation)};
        else if (!object.rotation && object.rings.size() == 1)
          object.rotation = rotation_of(object.rings.front(), 0.01);
  };
  return format;
}

}  // namespace yolov7::dataset
