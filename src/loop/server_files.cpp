#include "loop/server_files.hpp"

#include <fmt/format.h>

#include <map>

#include "core/file.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/prepare_set.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;

platforms::Journal journal_of(const PlaceRound& round, const std::string& place) {
  return platforms::Journal(round.folder.parent_path() / "journal.sqlite", place);
}

fs::path fresh_folder(const PlaceRound& round, const std::string& name) {
  const fs::path folder = round.folder / name;
  fs::remove_all(folder);
  return folder;
}

void add_drops(const dataset::Conversion& account, Answers& answers) {
  for (const auto& [kind, count] : account.not_boxes)
    answers.notes.push_back(fmt::format("left out: {} of kind {}, no box", count, kind));
  for (const dataset::ConversionDrop& one : account.drops)
    if (one.reason != dataset::without_annotation)
      answers.notes.push_back(fmt::format("left out: {} of {}{}: {}", one.kind, one.file.string(),
                                          one.line > 0 ? fmt::format(":{}", one.line) : "",
                                          one.reason));
}

void take_folder(const fs::path& folder, const PlaceRound& round, KeyOf key_of,
                 const std::stop_token& stop, Answers& answers) {
  dataset::ConvertOptions reading;
  reading.source = folder;
  reading.from = "yolo";
  reading.stop = stop;
  dataset::Conversion account;
  const dataset::AnnotatedSet set = dataset::read_annotations_of(reading, account);
  add_drops(account, answers);
  take_answers(set, round.set, key_of, answers);
  std::map<fs::path, std::vector<std::string>> lost;  // by the label file
  for (const dataset::ConversionDrop& one : account.drops)
    if (one.kind == "box" && one.reason.find(dataset::same_corners) == std::string::npos)
      lost[one.file].push_back(one.reason);
  const TaskFinder finder(round.set);
  for (const dataset::AnnotatedImage& image : set.images)
    if (const auto found = lost.find(image.annotation); found != lost.end())
      if (const Task* task = finder.find(key_of(image))) hold_open(*task, found->second, answers);
}

}  // namespace yolov7::loop
