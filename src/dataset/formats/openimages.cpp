// OpenImages CSV, V4 to V7 (Kuznetsova et al., "The Open Images Dataset V4", IJCV 2020): fractions
// in the order XMin, XMax, YMin, YMax; labels are ids with a table of names.
#include <fmt/format.h>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/text_rows.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

std::string first_line(const SourceTree& tree, const fs::path& file) {
  std::string head = tree.head(file, 4096);
  if (head.starts_with("\xEF\xBB\xBF")) head.erase(0, 3);
  return head.substr(0, head.find_first_of("\r\n"));
}

bool is_boxes(const SourceTree& tree, const fs::path& file) {
  const std::string line = first_line(tree, file);
  return line.starts_with("ImageID,") && line.find("LabelName") != std::string::npos &&
         line.find("XMin") != std::string::npos;
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".csv"))
    if (is_boxes(tree, file)) return true;
  return false;
}

/// Label id → name, in the order of the tables; V6 has a header, V4 and V5 have none.
void read_names(const Reading& reading, AnnotatedSet& set, std::map<std::string, int>& index) {
  for (const fs::path& path : reading.tree.with_extension(".csv")) {
    const std::string line = first_line(reading.tree, path);
    const bool header = line == "LabelName,DisplayName";
    if (!header && !(line.starts_with("/m/") && text::split(line, ',').size() == 2)) continue;
    const auto rows = parse_csv(reading.tree.read(path), (reading.tree.root / path).string());
    for (std::size_t i = header ? 1 : 0; i < rows.size(); ++i) {
      const std::vector<std::string>& cells = rows[i].cells;
      if (cells.size() != 2 || index.contains(cells[0])) continue;
      index[cells[0]] = static_cast<int>(set.classes.size());
      set.classes.push_back({cells[1], cells[0], {}, {}});
    }
  }
}

struct File {
  std::map<std::string, std::size_t> column;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  std::map<std::string, std::size_t> image_of;

  std::string cell(const CsvRow& row, const char* name) const {
    const auto found = column.find(name);
    return found == column.end() || found->second >= row.cells.size() ? ""
                                                                      : row.cells[found->second];
  }
};

AnnotatedObject read_row(const CsvRow& row, File& file) {
  AnnotatedObject object;
  object.line = row.line;
  const std::pair<const char*, double*> corners[] = {{"XMin", &object.box.x1},
                                                     {"XMax", &object.box.x2},
                                                     {"YMin", &object.box.y1},
                                                     {"YMax", &object.box.y2}};
  for (const auto& [name, target] : corners)
    if (const std::string written = file.cell(row, name);
        !read_number(written, *target) && object.fault.empty())
      object.fault = fmt::format("expected a number in {}, found '{}'", name,
                                 text::printable(written.substr(0, 40)));
  const std::string label = file.cell(row, "LabelName");
  if (label.empty()) {
    if (object.fault.empty()) object.fault = "no class name";
    return object;
  }
  const auto [place, fresh] = file.index.emplace(label, static_cast<int>(file.set.classes.size()));
  if (fresh)
    file.set.classes.push_back({label, label, {}, {}});  // in no table: the id serves as the name
  object.class_index = place->second;
  object.occluded = file.cell(row, "IsOccluded") == "1";
  object.truncated = file.cell(row, "IsTruncated") == "1";
  object.crowd = file.cell(row, "IsGroupOf") == "1";
  for (const char* name : {"IsDepiction", "IsInside"})
    if (file.cell(row, name) == "1") object.attributes.push_back({name, true});
  if (double value = 0; read_number(file.cell(row, "Confidence"), value) && value != 1)
    object.attributes.push_back({"Confidence", value});
  return object;
}

void read_file(const fs::path& path, const Reading& reading, AnnotatedSet& set,
               std::map<std::string, int>& index) {
  const auto rows = parse_csv(reading.tree.read(path), (reading.tree.root / path).string());
  File file{{}, set, index, {}};
  for (std::size_t i = 0; i < rows.front().cells.size(); ++i)
    file.column[rows.front().cells[i]] = i;
  const std::string split = split_of_file(path);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (i % 1000 == 1) check_stop(reading.stop);
    const std::string id = file.cell(rows[i], "ImageID");
    const auto [place, fresh] = file.image_of.emplace(id, set.images.size());
    if (fresh) {
      AnnotatedImage image;
      image.annotation = path;
      image.line = rows[i].line;
      image.shares_file = true;
      image.fractions = true;
      image.id = id;
      image.split = split;
      const fs::path folder = path.parent_path();
      const std::string subset = split == "val" ? "validation" : split;
      reading.finder.assign_by_stem(
          image, id,
          {folder / ".." / "images" / subset, folder / ".." / subset, fs::path(subset), folder},
          reading.account.notes);
      set.images.push_back(std::move(image));
    }
    set.images[place->second].objects.push_back(read_row(rows[i], file));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  set.drops_unused_classes =
      true;  // the tables name thousands of classes; those with boxes are kept
  std::map<std::string, int> index;
  read_names(reading, set, index);
  for (const fs::path& path : reading.tree.with_extension(".csv"))
    if (is_boxes(reading.tree, path)) read_file(path, reading, set, index);
  return set;
}

void write(const Writing& writing) {
  const auto subset = [](const std::string& split) {
    return split == "val" ? std::string("validation") : split;
  };
  const std::vector<fs::path> places =
      copy_images(writing, [&](const std::string& split) { return "images/" + subset(split); });
  const auto label = [&](const AnnotatedObject& object) {
    const AnnotatedClass& one = writing.set.classes[static_cast<std::size_t>(object.class_index)];
    return one.id.starts_with("/") ? one.id : fmt::format("/m/c{}", object.class_index);
  };
  std::string names = "LabelName,DisplayName\n";
  for (std::size_t i = 0; i < writing.set.classes.size(); ++i) {
    AnnotatedObject object;
    object.class_index = static_cast<int>(i);
    names += text::csv(label(object)) + "," + text::csv(writing.set.classes[i].name) + "\n";
  }
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    std::string& text = texts[subset(image.split)];
    for (const AnnotatedObject& object : image.objects) {
      const Xyxy& b = object.box;
      const auto mark = [&](const char* name) {
        const Attribute* one = find_attribute(object.attributes, name);
        return one != nullptr && is_true(one->value) ? 1 : 0;
      };
      text += fmt::format("{},xclick,{},1,{},{},{},{},{},{},{},{},{}\n",
                          text::csv(places[i].stem().string()), text::csv(label(object)),
                          number_text(b.x1 / image.width), number_text(b.x2 / image.width),
                          number_text(b.y1 / image.height), number_text(b.y2 / image.height),
                          object.occluded ? 1 : 0, object.truncated ? 1 : 0, object.crowd ? 1 : 0,
                          mark("IsDepiction"), mark("IsInside"));
    }
  }
  write_text_file(writing, "annotations/class-descriptions.csv", names);
  for (const auto& [split, text] : texts)
    write_text_file(writing, fmt::format("annotations/{}-annotations-bbox.csv", split),
                    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,"
                    "IsTruncated,IsGroupOf,IsDepiction,IsInside\n" +
                        text);
}

}  // namespace

Format openimages_format() {
  Format format;
  format.name = "openimages";
  format.title = "OpenImages CSV";
  format.spellings = {"open-images", "oid"};
  format.description =
      "CSV with one box a row (ImageID, fractions of the image), and a CSV of class names";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.crowd = holds.truncated = holds.occluded = Keep::yes;
  holds.background = Keep::no;
  format.limits_words =
      "an image without a box has no row; reading such a set reports the image and leaves it out. "
      "Of attributes IsDepiction and IsInside are kept. Source is xclick and Confidence is 1 in "
      "every row.";
  format.keeps_attribute = [](const Attribute& one) {
    return one.name == "IsDepiction" || one.name == "IsInside";
  };
  return format;
}

}  // namespace yolov7::dataset
