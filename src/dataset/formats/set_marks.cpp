#include "dataset/formats/set_marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/index/ready_set.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool has_origin(const std::vector<Attribute>& attributes, const char* origin) {
  const Attribute* found = find_attribute(attributes, origin_attribute);
  return found != nullptr && found->value == AttributeValue(std::string(origin));
}

float share(double score) { return static_cast<float>(std::clamp(score, 0.0, 1.0)); }

/// The part of the box inside the image. Nothing: there is none.
std::optional<CxcywhNormalized> inside(const Xyxy& fractions) {
  const Xyxy box = clip(fractions, 1, 1);
  if (!(box.width() > 0 && box.height() > 0)) return std::nullopt;
  return to_normalized(box, 1, 1);
}

/// Drops marks of rows that are no labels, and all where no label is a machine's.
void keep_rows(std::vector<LabelMark>& rows, const std::set<std::size_t>& dropped,
               ImageMarks& marks) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!dropped.contains(i)) marks.labels.push_back(rows[i]);
  if (std::none_of(marks.labels.begin(), marks.labels.end(),
                   [](const LabelMark& mark) { return mark.machine; }))
    marks.labels.clear();
}

/// A file of labels: where its rows stand among the labels that were read of it.
struct RowPlaces {
  std::vector<std::string> rows;                  ///< texts, blank lines left out
  std::vector<std::optional<std::size_t>> label;  ///< of each row; nothing: it was dropped
  std::size_t kept = 0;                           ///< rows that were not
};

RowPlaces row_places(const fs::path& file, const Description& description) {
  RowPlaces places;
  const std::string content = text::as_utf8(file::read(file), file.string());
  const LabelFile read = try_parse_labels(content, file, 0, false, description.key_point_columns);
  std::set<int> dropped;
  for (const Problem& problem : read.dropped) dropped.insert(problem.line);
  int line = 0;
  for (const std::string_view raw : text::lines(content)) {
    ++line;
    const std::string_view row = text::trim(raw);
    if (row.empty()) continue;
    places.rows.emplace_back(row);
    places.label.push_back(dropped.contains(line) ? std::nullopt : std::optional(places.kept++));
  }
  return places;
}

/// Side files of one split, line by line.
class SideFiles {
 public:
  SideFiles(const Description& description, const Index& index)
      : description_(description), index_(index) {
    marks_.images.resize(index.entries.size());
  }

  SetMarks read() {
    const std::set<fs::path> found = roots();
    if (found.empty()) return std::move(marks_);
    for (std::size_t i = 0; i < index_.entries.size(); ++i)
      entries_.emplace(place(index_.entries[i].picture), i);
    for (const fs::path& root : found) read_file(root);
    return std::move(marks_);
  }

 private:
  static std::string place(const fs::path& path) {
    return fs::absolute(path).lexically_normal().string();
  }

  /// Folders with a side file: that of the description, and those that hold an `images` folder of
  /// the split.
  std::set<fs::path> roots() const {
    std::set<fs::path> candidates{fs::absolute(description_.file).lexically_normal().parent_path()};
    std::set<fs::path> folders;
    for (const Entry& entry : index_.entries) folders.insert(entry.picture.parent_path());
    for (const fs::path& folder : folders)
      for (fs::path at = fs::path(place(folder / "x")).parent_path(); at.has_relative_path();
           at = at.parent_path())
        if (at.filename() == "images") {
          candidates.insert(at.parent_path());
          break;
        }
    std::error_code error;
    std::erase_if(candidates, [&](const fs::path& root) {
      return !fs::is_regular_file(root / yolo_side_file, error);
    });
    return candidates;
  }

  void read_file(const fs::path& root) {
    const fs::path file = root / yolo_side_file;
    const std::string content = file::read(file);
    int number = 0;
    for (const std::string_view line : text::lines(content)) {
      ++number;
      if (text::trim(line).empty()) continue;
      std::string fault;
      try {
        fault = take(root, parse_json(line, file.string()));
      } catch (const Error& error) {
        fault = error.what();
      }
      if (!fault.empty()) marks_.problems.push_back({file, number, std::move(fault)});
    }
  }

  /// What is wrong with the line, or "". Lines of other splits, and those that mark nothing, are
  /// passed over.
  std::string take(const fs::path& root, const json& line) {
    const auto found = entries_.find(place(root / text_at(line, "image")));
    if (member(line, "image") == nullptr || found == entries_.end()) return "";
    ImageMarks& image = marks_.images[found->second];
    if (const json* tags = member(line, "tags"))
      image.drawn |= has_origin(attributes_of(*tags), drawn_origin);
    const json* attributes = member(line, "attributes");
    const bool machine =
        attributes != nullptr && has_origin(attributes_of(*attributes), machine_origin);
    if (const json* row = member(line, "row"))
      return machine ? take_label(found->second, *row, line) : "";
    if (const json* box = member(line, "box"))
      if (flag_at(line, "ignore") || flag_at(line, "crowd"))
        return take_region(image, *box, machine);
    return "";
  }

  static std::string take_region(ImageMarks& image, const json& box, bool machine) {
    const auto numbers = numbers_of(&box);
    if (!numbers || numbers->size() != 4)
      return "expected the box of a region, found " + shown(&box);
    const auto part = inside({(*numbers)[0], (*numbers)[1], (*numbers)[2], (*numbers)[3]});
    if (part) image.regions.push_back({*part, machine});
    return "";
  }

  std::string take_label(std::size_t entry, const json& row, const json& line) {
    const std::vector<Label>& labels = index_.entries[entry].labels;
    const fs::path file = label_path(index_.entries[entry].picture);
    auto known = rows_.find(entry);
    if (known == rows_.end()) known = rows_.emplace(entry, row_places(file, description_)).first;
    const RowPlaces& places = known->second;
    const auto number = number_of(&row);
    if (!number || *number < 0 || *number >= static_cast<double>(places.rows.size()))
      return fmt::format("{} has no row {}", file.string(), shown(&row));
    const auto at = static_cast<std::size_t>(*number);
    if (places.rows[at] != text_at(line, "label"))
      return fmt::format("row {} of {} has changed since: its mark is not used", at, file.string());
    if (!places.label[at]) return "";  // the row was dropped, and named
    if (places.kept != labels.size())
      return fmt::format("{} has {} rows for {} labels: its marks are not used", file.string(),
                         places.kept, labels.size());
    ImageMarks& image = marks_.images[entry];
    image.labels.resize(labels.size());
    image.labels[*places.label[at]] = {true, share(number_at(line, "score").value_or(1))};
    return "";
  }

  const Description& description_;
  const Index& index_;
  SetMarks marks_;
  std::map<std::string, std::size_t> entries_;
  std::map<std::size_t, RowPlaces> rows_;
};

SetMarks marks_of_ready(const ReadySet& ready, const Index& index) {
  SetMarks marks;
  std::map<fs::path, const ReadyImage*> images;
  for (const ReadyImage& image : ready.splits.at(index.split))
    images.emplace(image.picture, &image);
  for (const Entry& entry : index.entries) marks.images.push_back(images.at(entry.picture)->marks);
  return marks;
}

}  // namespace

ImageMarks marks_of(const AnnotatedImage& image, const LabelFile& read) {
  ImageMarks result;
  result.drawn = has_origin(image.tags, drawn_origin);
  std::vector<LabelMark> rows;
  for (const AnnotatedObject& object : image.objects) {
    const bool machine = has_origin(object.attributes, machine_origin);
    if (!object.crowd && !object.ignore) {
      rows.push_back({machine, machine ? share(object.score.value_or(1)) : 1});
      continue;
    }
    const Xyxy& box = object.box;
    const double width = image.width, height = image.height;
    if (const auto part =
            inside({box.x1 / width, box.y1 / height, box.x2 / width, box.y2 / height}))
      result.regions.push_back({*part, machine});
  }
  std::set<std::size_t> dropped;
  for (const Problem& problem : read.dropped)
    dropped.insert(static_cast<std::size_t>(problem.line - 1));
  keep_rows(rows, dropped, result);
  return result;
}

SetMarks read_marks(const Description& description, const Index& index) {
  return description.ready ? marks_of_ready(*description.ready, index)
                           : SideFiles(description, index).read();
}

}  // namespace yolov7::dataset
