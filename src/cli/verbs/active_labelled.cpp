#include "cli/verbs/active_labelled.hpp"

#include <algorithm>

#include "core/interrupt.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"

namespace yolov7::cli {

void add_labelled(Labelled& labelled, const dataset::Entry& entry,
                  const dataset::similarity::Sketch& sketch, const std::vector<int>& class_map) {
  std::vector<Detection> boxes;
  for (const dataset::Label& label : entry.labels) {
    const int k = class_map[static_cast<std::size_t>(label.class_index)];
    if (k < 0) continue;
    boxes.push_back({to_pixels(label.box, entry.width, entry.height), 1, k});
    ++labelled.boxes[static_cast<std::size_t>(k)];
  }
  labelled.sketches.push_back(sketch);
  labelled.features.push_back(
      active::feature_of(boxes, entry.width, entry.height, sketch.directions.front()));
  labelled.paths.push_back(std::filesystem::weakly_canonical(entry.picture));
}

Labelled read_labelled(const std::string& data, const std::vector<std::string>& names) {
  Labelled result;
  result.boxes.assign(names.size(), 0);
  if (data.empty()) return result;
  const dataset::Description description = dataset::open_data(
      data, {.recheck = false, .strict = false, .threads = 0, .stop = interrupt::token()});
  std::vector<int> map(description.names.size(), -1);
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), description.names[i]);
    if (found != names.end())
      map[i] = static_cast<int>(found - names.begin());
    else
      result.strange_classes.push_back(description.names[i]);
  }
  dataset::IndexOptions reading;
  reading.stop = interrupt::token();
  const dataset::Index index = dataset::read_index(description, "train", reading);
  std::vector<dataset::similarity::Sketch> sketches(index.entries.size());
  Progress progress("reading labelled images", index.entries.size(), "images");
  parallel_for(index.entries.size(), usable_cores(), [&](std::size_t i) {
    check_stop(interrupt::token());
    sketches[i] = dataset::similarity::read_sketch(index.entries[i].picture);
    progress.advance();
  });
  progress.finish();
  for (std::size_t i = 0; i < sketches.size(); ++i)
    add_labelled(result, index.entries[i], sketches[i], map);
  return result;
}

}  // namespace yolov7::cli
