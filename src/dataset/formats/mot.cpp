// MOTChallenge sequences (Milan et al., "MOT16: a benchmark for multi-object tracking", 2016):
// gt/gt.txt beside img1. Frames and classes count from 1; corners are taken as they are.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr int most_frames = 10'000'000;
/// Table 3 of the paper, and the thirteenth of MOT20.
constexpr std::array<const char*, 13> usual = {
    "pedestrian", "person on vehicle",      "car",           "bicycle",
    "motorbike",  "non motorized vehicle",  "static person", "distractor",
    "occluder",   "occluder on the ground", "occluder full", "reflection",
    "crowd"};

bool is_mot(const SourceTree& tree, const fs::path& file) {
  if (file.filename() != "gt.txt") return false;
  const std::string head = tree.head(file, 4096);
  for (const std::string_view line : text::lines(head)) {
    if (text::trim(line).empty()) continue;
    const auto cells = text::split(line, ',');
    double number = 0;
    return cells.size() >= 6 && std::all_of(cells.begin(), cells.begin() + 6, [&](auto cell) {
             return read_number(text::trim(cell), number);
           });
  }
  return file.parent_path().filename() == "gt";
}

bool detect(const SourceTree& tree) {
  return std::any_of(tree.files.begin(), tree.files.end(),
                     [&](const fs::path& file) { return is_mot(tree, file); });
}

struct Sequence {
  fs::path gt, folder;
  std::string images = "img1", extension = ".jpg";
  int length = 0, width = 0, height = 0;
  std::vector<std::string> names;  ///< of gt/labels.txt; empty: the usual ones
};

Sequence sequence_of(const fs::path& gt, const Reading& reading) {
  Sequence sequence;
  sequence.gt = gt;
  sequence.folder = gt.parent_path().parent_path();
  const fs::path info = sequence.folder / "seqinfo.ini", labels = gt.parent_path() / "labels.txt";
  constexpr std::uint64_t most_bytes = 1 << 20;
  if (reading.tree.has(info)) {
    const std::string content = reading.tree.read(info, most_bytes);
    for (const std::string_view line : text::lines(content)) {
      const auto equals = line.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = text::trim(line.substr(0, equals)),
                             value = text::trim(line.substr(equals + 1));
      if (key == "imDir") sequence.images = value;
      if (key == "imExt") sequence.extension = value;
      if (key == "seqLength") sequence.length = std::min(whole_number(value), most_frames / 10);
      if (key == "imWidth") sequence.width = whole_number(value);
      if (key == "imHeight") sequence.height = whole_number(value);
    }
  }
  if (reading.tree.has(labels)) {
    const std::string content = reading.tree.read(labels, most_bytes);
    for (const std::string_view line : text::lines(content))
      if (!text::trim(line).empty()) sequence.names.emplace_back(text::trim(line));
  }
  return sequence;
}

struct Row {
  int frame = 0;
  AnnotatedObject object;
};

/// frame, id, x, y, width, height, confidence, class, visibility; the last three may be absent.
Row read_row(std::string_view line, int number, const Sequence& sequence, AnnotatedSet& set,
             std::map<std::string, int>& index) {
  Row row;
  AnnotatedObject& object = row.object;
  object.line = number;
  const auto cells = text::split(line, ',');
  std::vector<double> n(cells.size());
  if (cells.size() < 6) {
    object.fault = fmt::format("expected 6 columns or more, found {}", cells.size());
    return row;
  }
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (!read_number(text::trim(cells[i]), n[i])) {
      object.fault = fmt::format("expected a number in column {}, found '{}'", i + 1,
                                 text::printable(cells[i].substr(0, 40)));
      return row;
    }
  if (!(n[0] >= 1) || n[0] > most_frames || n[0] != static_cast<int>(n[0])) {
    object.fault = fmt::format("expected a frame 1..{} in column 1, found '{}'", most_frames,
                               text::printable(cells[0].substr(0, 40)));
    return row;
  }
  row.frame = static_cast<int>(n[0]);
  object.box = {n[2], n[3], n[2] + n[4], n[3] + n[5]};
  if (n[1] >= 0) object.track = TrackPlace{text::general(n[1], 15), row.frame, true, false};
  object.ignore = n.size() > 6 && n[6] == 0;
  if (n.size() == 9) object.attributes.push_back({"visibility", n[8]});
  // 2D MOT15 has −1 in place of a class, and pedestrians alone.
  const double written = n.size() > 7 && n[7] >= 0 && n.size() < 10 ? n[7] : 1;
  const std::size_t known = sequence.names.empty() ? usual.size() : sequence.names.size();
  if (!(written >= 1) || written > static_cast<double>(known) ||
      written != static_cast<int>(written)) {
    object.fault = fmt::format("expected a class 1..{} in column 8, found '{}'", known,
                               text::printable(cells[7].substr(0, 40)));
    return row;
  }
  const auto place = static_cast<std::size_t>(written) - 1;
  object.class_index =
      class_named(set, index, sequence.names.empty() ? usual[place] : sequence.names[place]);
  return row;
}

/// Numbers of the images of each folder, as far as they are called by numbers.
using FramesByFolder = std::map<fs::path, std::vector<int>>;
FramesByFolder numbered_images(const SourceTree& tree) {
  FramesByFolder frames;
  for (const TreeImage& image : tree.images)
    if (const auto frame = text::parse_int(image.relative.stem().string());
        frame && *frame >= 1 && *frame <= most_frames)
      frames[image.relative.parent_path()].push_back(static_cast<int>(*frame));
  return frames;
}

/// The frames that gt.txt, seqinfo.ini and the folder of images have, each with its objects.
std::map<int, std::vector<AnnotatedObject>> frames_of(const Sequence& sequence,
                                                      const FramesByFolder& numbered,
                                                      const Reading& reading, AnnotatedSet& set,
                                                      std::map<std::string, int>& index) {
  std::map<int, std::vector<AnnotatedObject>> frames;
  for (int frame = 1; frame <= sequence.length; ++frame) frames[frame];
  const auto own = numbered.find((sequence.folder / sequence.images).lexically_normal());
  if (own != numbered.end())
    for (const int frame : own->second) frames[frame];
  const std::string content = reading.tree.read(sequence.gt);
  int number = 0;
  for (const std::string_view line : text::lines(content)) {
    ++number;
    if (number % 1000 == 0) check_stop(reading.stop);
    if (text::trim(line).empty()) continue;
    Row row = read_row(line, number, sequence, set, index);
    if (row.frame > 0) {
      frames[row.frame].push_back(std::move(row.object));
      continue;
    }
    ++reading.account.boxes.in;
    reading.account.drop({"box", sequence.gt, number, 1, row.object.fault});
  }
  return frames;
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  const FramesByFolder numbered = numbered_images(reading.tree);
  for (const fs::path& path : reading.tree.files) {
    check_stop(reading.stop);
    if (path.filename() == "det.txt")
      reading.account.notes.push_back({path, 0, "left out: these are detections, no truth"});
    if (!is_mot(reading.tree, path)) continue;
    const Sequence sequence = sequence_of(path, reading);
    for (const std::string& name : sequence.names) class_named(set, index, name);
    for (auto& [frame, objects] : frames_of(sequence, numbered, reading, set, index)) {
      AnnotatedImage image;
      image.annotation = path;
      image.shares_file = true;
      image.id = std::to_string(frame);
      image.written = fmt::format("{}/{:06}{}", sequence.images, frame, sequence.extension);
      image.written_width = sequence.width, image.written_height = sequence.height;
      image.split = split_of_folders(path);
      image.state = objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
      image.objects = std::move(objects);
      reading.finder.assign(image, {sequence.folder}, reading.account.notes);
      set.images.push_back(std::move(image));
    }
  }
  return set;
}

}  // namespace

Format mot_format() {
  Format format;
  format.name = "mot";
  format.title = "MOTChallenge";
  format.spellings = {"motchallenge", "mot-challenge"};
  format.description = "gt/gt.txt with a row per box and frame, beside img1";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
