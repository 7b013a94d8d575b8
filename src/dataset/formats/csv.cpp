// CSV with a first line of names, which decides what the columns mean.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
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

constexpr int none = -1;

/// Places of the columns; none = absent.
struct Columns {
  int image = none, name = none, split = none, width = none, height = none, score = none;
  int x1 = none, y1 = none, x2 = none, y2 = none, w = none, h = none, bbox = none;

  bool has_box() const {
    const bool corners = x2 != none && y2 != none, sizes = w != none && h != none;
    return bbox != none || (x1 != none && y1 != none && (corners || sizes));
  }
};

struct Spelling {
  int Columns::*column;
  std::vector<std::string_view> names;
};

const std::vector<Spelling>& spellings() {
  static const std::vector<Spelling> list = {
      {&Columns::image,
       {"image", "filename", "file_name", "image_name", "imagename", "img_fname", "path",
        "image_path", "img", "file", "image_id"}},
      {&Columns::name,
       {"class", "label", "label_name", "class_name", "category", "name", "bbx_type"}},
      {&Columns::split, {"split", "set", "subset"}},
      {&Columns::score, {"score", "confidence"}},
      {&Columns::x1, {"x1", "xmin", "x_min", "xtl", "bbx_xtl", "left", "x"}},
      {&Columns::y1, {"y1", "ymin", "y_min", "ytl", "bbx_ytl", "top", "y"}},
      {&Columns::x2, {"x2", "xmax", "x_max", "xbr", "bbx_xbr", "right"}},
      {&Columns::y2, {"y2", "ymax", "y_max", "ybr", "bbx_ybr", "bottom"}},
      {&Columns::w, {"w", "bbox_width", "box_width"}},
      {&Columns::h, {"h", "bbox_height", "box_height"}},
      {&Columns::width, {"width", "image_width", "img_width"}},
      {&Columns::height, {"height", "image_height", "img_height"}},
      {&Columns::bbox, {"bbox", "box", "bounding_box"}},
  };
  return list;
}

Columns columns_of(const std::vector<std::string>& header) {
  Columns columns;
  for (const Spelling& spelling : spellings())
    for (const std::string_view name : spelling.names) {
      if (columns.*spelling.column != none) break;
      for (std::size_t i = 0; i < header.size(); ++i)
        if (text::lower(text::trim(header[i])) == name)
          columns.*spelling.column = static_cast<int>(i);
    }
  const bool corners = columns.x2 != none && columns.y2 != none;
  if (!corners && columns.w == none && columns.h == none) {
    // Beside a corner, width and height are those of the box.
    std::swap(columns.w, columns.width);
    std::swap(columns.h, columns.height);
  }
  return columns;
}

bool is_csv(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file, 4096);
  const std::string first = head.substr(0, head.find('\n'));
  if (first.find("ImageID") != std::string::npos) return false;  // OpenImages
  try {
    const std::vector<CsvRow> rows = parse_csv(first, "");
    if (rows.empty()) return false;
    const Columns columns = columns_of(rows.front().cells);
    return columns.image != none && columns.has_box();
  } catch (const Error&) {
    return false;
  }
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".csv"))
    if (is_csv(tree, file)) return true;
  return false;
}

/// All numbers of "[1,2,3,4]", "1 2 3 4" and the like.
std::string numbers_in(std::string_view cell, std::vector<double>& numbers) {
  std::string plain(cell);
  for (char& c : plain)
    if (std::string_view("[](),;").find(c) != std::string_view::npos) c = ' ';
  for (const std::string_view token : text::split_blank(plain)) {
    double value = 0;
    if (!read_number(token, value))
      return fmt::format("expected numbers in the column of the box, found '{}'",
                         text::printable(cell.substr(0, 60)));
    numbers.push_back(value);
  }
  return numbers.size() == 4 ? ""
                             : fmt::format("expected 4 numbers of a box, found {}", numbers.size());
}

struct File {
  const Reading& reading;
  fs::path path;
  Columns columns;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  std::string split;
  std::map<std::string, std::size_t> image_of;
  bool sized = false;  ///< the one column of a box holds x, y, width, height

  static const std::string& cell(const CsvRow& row, int column) {
    static const std::string empty;
    const auto place = static_cast<std::size_t>(column);
    return column == none || place >= row.cells.size() ? empty : row.cells[place];
  }
};

/// The box of a row. False: the cells are empty, which stands for an image without a box.
bool read_box(const CsvRow& row, const File& file, AnnotatedObject& object) {
  const Columns& c = file.columns;
  if (c.bbox != none) {
    const std::string& cell = File::cell(row, c.bbox);
    if (text::trim(cell).empty()) return false;
    std::vector<double> n;
    object.fault = numbers_in(cell, n);
    if (object.fault.empty())
      object.box =
          file.sized ? Xyxy{n[0], n[1], n[0] + n[2], n[1] + n[3]} : Xyxy{n[0], n[1], n[2], n[3]};
    return true;
  }
  const bool corners = c.x2 != none && c.y2 != none;
  const int places[] = {c.x1, c.y1, corners ? c.x2 : c.w, corners ? c.y2 : c.h};
  double n[4] = {};
  std::size_t empty = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string& cell = File::cell(row, places[i]);
    empty += text::trim(cell).empty() ? 1 : 0;
    if (!read_number(cell, n[i]) && object.fault.empty())
      object.fault = fmt::format("expected a number in column {}, found '{}'", places[i] + 1,
                                 text::printable(cell.substr(0, 40)));
  }
  if (empty == 4) object.fault.clear();
  object.box = corners ? Xyxy{n[0], n[1], n[2], n[3]} : Xyxy{n[0], n[1], n[0] + n[2], n[1] + n[3]};
  return empty < 4;
}

/// What the four numbers of one column are, the name of the column does not say. Files differ:
/// where half of the boxes would end before they begin, they are no corners.
void settle_box_column(const std::vector<CsvRow>& rows, File& file) {
  if (file.columns.bbox == none) return;
  std::size_t boxes = 0, turned = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    std::vector<double> n;
    if (!numbers_in(File::cell(rows[i], file.columns.bbox), n).empty()) continue;
    ++boxes;
    turned += n[2] < n[0] || n[3] < n[1] ? 1 : 0;
  }
  if (boxes == 0) return;
  file.sized = 2 * turned >= boxes;
  file.reading.account.notes.push_back(
      {file.path, 0,
       fmt::format("the {} boxes of the column '{}' are taken as {}: as corners {} of them would "
                   "end before they begin",
                   boxes,
                   text::printable(rows.front().cells[static_cast<std::size_t>(file.columns.bbox)]),
                   file.sized ? "x, y, width, height" : "two corners", turned)});
}

AnnotatedImage& image_of(const CsvRow& row, File& file) {
  const std::string name(text::trim(File::cell(row, file.columns.image)));
  const auto [place, fresh] = file.image_of.emplace(name, file.set.images.size());
  if (fresh) {
    AnnotatedImage image;
    image.annotation = file.path;
    image.line = row.line;
    image.shares_file = true;
    image.written = name;
    image.split = File::cell(row, file.columns.split);
    if (image.split.empty()) image.split = file.split;
    image.written_width = whole_number(File::cell(row, file.columns.width));
    image.written_height = whole_number(File::cell(row, file.columns.height));
    image.state = ImageState::empty_on_purpose;
    const fs::path folder = file.path.parent_path();
    file.reading.finder.assign(image, {folder, folder / "images"}, file.reading.account.notes);
    file.set.images.push_back(std::move(image));
  }
  return file.set.images[place->second];
}

/// "train-export.csv" → "train".
std::string split_of(const fs::path& path) {
  std::string stem = path.stem().string();
  for (char& c : stem)
    if (c == '_' || c == '.') c = '-';
  for (const std::string_view part : text::split(stem, '-'))
    if (const std::string split = split_name(part);
        split == "train" || split == "val" || split == "test")
      return split;
  return split_of_folders(path);
}

void read_file(const fs::path& path, const Reading& reading, AnnotatedSet& set,
               std::map<std::string, int>& index) {
  const std::vector<CsvRow> rows =
      parse_csv(reading.tree.read(path), (reading.tree.root / path).string());
  File file{reading, path, columns_of(rows.front().cells), set, index, split_of(path), {}};
  settle_box_column(rows, file);
  const std::size_t first = set.images.size();
  bool fractions = true, any = false;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (i % 1000 == 1) check_stop(reading.stop);
    AnnotatedImage& image = image_of(rows[i], file);
    AnnotatedObject object;
    object.line = rows[i].line;
    if (!read_box(rows[i], file, object)) continue;
    const std::string name(text::trim(File::cell(rows[i], file.columns.name)));
    if (file.columns.name == none)
      object.class_index = class_named(set, index, "object");
    else if (!name.empty())
      object.class_index = class_named(set, index, name);
    else if (object.fault.empty())
      object.fault = "no class name";
    if (double score = 0; read_number(File::cell(rows[i], file.columns.score), score))
      object.score = score;
    for (const double value : {object.box.x1, object.box.y1, object.box.x2, object.box.y2}) {
      fractions = fractions && value >= 0 && value <= 1;
      any = any || value != std::floor(value);
    }
    image.state = ImageState::annotated;
    image.objects.push_back(std::move(object));
  }
  if (!fractions || !any) return;
  for (std::size_t i = first; i < set.images.size(); ++i) set.images[i].fractions = true;
  reading.account.notes.push_back(
      {path, 0, "all coordinates are 0 to 1: they are taken as fractions of the image"});
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  std::vector<fs::path> files;
  for (const fs::path& path : reading.tree.with_extension(".csv")) {
    if (is_csv(reading.tree, path))
      files.push_back(path);
    else
      reading.account.notes.push_back(
          {path, 1,
           "left out: its first line does not name the columns of image and box (image, "
           "class, xmin, ymin, xmax, ymax)"});
  }
  for (const fs::path& path : files) read_file(path, reading, set, index);
  return set;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  std::string out = "image,width,height,class,xmin,ymin,xmax,ymax,split\n";
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    const std::string head =
        fmt::format("{},{},{},", text::csv(places[i].generic_string()), image.width, image.height);
    if (image.objects.empty()) out += head + ",,,,," + image.split + "\n";
    for (const AnnotatedObject& object : image.objects) {
      const Xyxy& box = object.box;
      out += head + fmt::format("{},{},{},{},{},{}\n", text::csv(class_name(writing, object)),
                                number_text(box.x1), number_text(box.y1), number_text(box.x2),
                                number_text(box.y2), text::csv(image.split));
    }
  }
  write_text_file(writing, "annotations.csv", out);
}

}  // namespace

Format csv_format() {
  Format format;
  format.name = "csv";
  format.title = "CSV";
  format.description = "a table whose first line names its columns";
  format.detect = detect;
  format.read = read;
  format.write = write;
  return format;
}

}  // namespace yolov7::dataset
