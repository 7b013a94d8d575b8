#include "cli/verbs/annotate_labelled.hpp"

#include <fmt/format.h>

#include <map>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "evaluation/metrics/yolo_metric.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

/// Which detections match an object of their class by an IoU above .5, each object once.
std::vector<bool> correct_ones(const std::vector<Detection>& detections,
                               const dataset::Entry& entry) {
  std::vector<evaluation::Target> targets;
  for (const dataset::Label& label : entry.labels)
    targets.push_back({to_pixels(label.box, entry.width, entry.height), label.class_index});
  evaluation::MatchedPredictions matched;
  evaluation::match_picture(detections, targets, matched);
  std::vector<bool> correct;
  for (const auto& one : matched.correct) correct.push_back(one[0]);
  return correct;
}

}  // namespace

LabelledSplit read_labelled_split(const std::string& data, const std::string& split) {
  const dataset::Description description = dataset::open_data(
      data, {.recheck = false, .strict = false, .threads = 0, .stop = interrupt::token()});
  LabelledSplit result;
  result.names = description.names;
  result.val_is_train = split == "val" && !description.train.empty() &&
                        description.val == description.train && description.ready == nullptr;
  dataset::IndexOptions reading;
  reading.stop = interrupt::token();
  for (const char* one : {"train", "val", "test"}) {
    if (description.split(one).empty() && split != one) continue;
    dataset::Index index = dataset::read_index(description, one, reading);
    for (const dataset::Entry& entry : index.entries)
      if (entry.has_label_file) result.paths.insert(fs::weakly_canonical(entry.picture));
    if (split != one) continue;
    result.index = std::move(index);
    result.unlabelled = std::erase_if(
        result.index.entries, [](const dataset::Entry& entry) { return !entry.has_label_file; });
  }
  if (result.index.entries.empty())
    throw Error(fmt::format("{}: expected images with labels in the split {}, found none among {}",
                            data, split, result.unlabelled));
  return result;
}

LabelledLook look_at_labelled(const LabelledSplit& split, const AnnotateClasses& classes,
                              const Workers& workers, const PoolOptions& options) {
  std::vector<runtime::SourcePicture> pictures;
  std::map<fs::path, const dataset::Entry*> entries;
  for (const dataset::Entry& entry : split.index.entries) {
    pictures.push_back({entry.picture, entry.picture.filename()});
    entries[entry.picture] = &entry;
  }
  Pool pool = look_at_pool(pictures, workers, options);
  LabelledLook look;
  look.objects.assign(classes.names.size(), 0);
  look.unreadable = std::move(pool.unreadable);
  for (const PoolImage& image : pool.images) {
    const dataset::Entry& entry = *entries.at(image.path);
    LabelledLook::Image one;
    one.detections = renamed(image.detections, classes, options.look.nms.iou_thres);
    one.correct = correct_ones(one.detections, entry);
    one.objects = entry.labels.size();
    for (std::size_t i = 0; i < one.detections.size(); ++i)
      look.outcomes.push_back(
          {one.detections[i].score, one.detections[i].class_index, one.correct[i]});
    for (const dataset::Label& label : entry.labels)
      ++look.objects[static_cast<std::size_t>(label.class_index)];
    look.images.push_back(std::move(one));
  }
  return look;
}

CompleteImages judge_labelled(const LabelledLook& look, const std::vector<active::ClassRule>& rules,
                              const active::DoubtOptions& options) {
  CompleteImages all;
  all.images = look.images.size();
  for (const LabelledLook::Image& image : look.images) {
    const active::JudgedImage judged = active::judge(image.detections, rules, options);
    if (judged.verdict == active::ImageVerdict::doubtful) {
      ++all.doubtful;
    } else if (judged.verdict == active::ImageVerdict::empty) {
      ++all.empty;
      all.objects_in_empty += image.objects;
    } else {
      ++all.complete;
      all.labels += judged.labels.size();
      all.objects += image.objects;
      for (const std::size_t i : judged.labels) all.correct += image.correct[i] ? 1 : 0;
    }
  }
  return all;
}

}  // namespace yolov7::cli
