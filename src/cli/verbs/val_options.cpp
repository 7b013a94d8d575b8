#include "cli/verbs/val_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/class_match.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"
#include "runtime/detect.hpp"

namespace yolov7::cli {

namespace {

std::vector<Setting> data_settings(ValOptions& o) {
  return group(
      "Data",
      {setting("data", o.data, "data.yaml, or annotations of any format").basic(),
       setting(
           "task", o.task,
           "val, test or train: the split to measure on; speed: measures times, not accuracy, on "
           "the val split at --conf-thres 0.25 --iou-thres 0.45; study: measures the val split "
           "at each of --study-sizes")
           .basic(),
       setting("study-sizes", o.study_sizes, "image sizes of --task study")
           .range(32, runtime::longest_input_side),
       setting("recheck", o.recheck, "read every image again, whatever the cache says"),
       setting("strict", o.strict, "rows that would be dropped are errors")});
}

std::vector<Setting> metric_settings(ValOptions& o) {
  return group("Metrics",
               {setting("anno-json", o.anno_json,
                        "COCO annotation file for the COCO metric in place of the labels"),
                setting("coco-max-dets", o.coco_max_dets,
                        "most detections per image and category in the COCO metric: three numbers; "
                        "AP uses the largest")
                    .range(1, 1e6)});
}

std::vector<Setting> machine_settings(ValOptions& o) {
  return group("Machine", {setting("device", o.device, "empty or cpu").basic(),
                           setting("precision", o.model.detector.precision,
                                   "number format in which the network computes")
                               .choices({"float32", "bfloat16"})});
}

std::vector<Setting> output_settings(ValOptions& o) {
  return group(
      "Output",
      {setting("verbose", o.verbose, "always print the rows of the classes, and more messages"),
       setting("save-txt", o.save_txt, "write label files").basic(),
       setting("save-conf", o.save_conf, "with the confidence at the end of each line"),
       setting("save-json", o.save_json, "write a COCO result file").basic(),
       setting("project", o.project, "parent of the run folder").basic(),
       setting("name", o.name, "name of the run folder").basic(),
       setting("exist-ok", o.exist_ok,
               "use the folder again; earlier results are replaced, sources never")});
}

std::vector<Setting> without_effect(ValOptions& o) {
  return {
      setting("no-trace", o.no_trace, "do not trace the model").ignored("nothing is ever traced"),
      setting("half", o.refused_switch, "half precision").refused("use --precision bfloat16")};
}

}  // namespace

Settings settings(ValOptions& o) {
  return {"val",
          joined({settings(o.model), data_settings(o), truncated_settings(o.truncated, "Data"),
                  settings(o.measuring), metric_settings(o), machine_settings(o),
                  output_settings(o), without_effect(o)})};
}

bool is_coco(const std::string& data) {
  return data.size() >= 9 && data.compare(data.size() - 9, 9, "coco.yaml") == 0;
}

void check(const ValOptions& o) {
  api::require_cpu(o.device, "val");
  const std::vector<std::string> tasks{"val", "test", "train", "speed", "study"};
  if (!text::contains(tasks, o.task))
    throw usage_error(
        fmt::format("val: --task: expected {}, found '{}'", text::join(tasks, ", "), o.task));
  require_possible(o.measuring.nms, "val");
  if (o.coco_max_dets.size() != 3)
    throw usage_error(fmt::format("val: --coco-max-dets: expected three numbers, found {}",
                                  o.coco_max_dets.size()));
  if (o.measuring.single_cls && !o.anno_json.empty())
    throw usage_error("val: --anno-json and --single-cls exclude each other");
  if (const auto& tide = o.measuring.analyses.tide; tide.background > tide.foreground)
    throw usage_error(fmt::format("val: expected --tide-bg of at most --tide-pos, found {} and {}",
                                  tide.background, tide.foreground));
  if (o.save_conf && !o.save_txt && !o.measuring.save_hybrid)
    log::warning("--save-conf has no effect without --save-txt");
  if (o.measuring.save_hybrid)
    log::warning(
        "--save-hybrid: the labels are among the predictions; the metrics of this run are invalid");
}

std::vector<std::string> unused(const ValOptions& o, const std::vector<std::string>& given) {
  std::vector<std::string> without;
  const bool speed = o.task == "speed", study = o.task == "study";
  if (!study) without.emplace_back("study-sizes");
  // They measure without what only the report of one run needs.
  if (speed || study)
    without.insert(without.end(),
                   {"save-txt", "save-conf", "save-json", "bootstrap", "seed", "calibration",
                    "error-analysis", "breakdown", "tide-pos", "tide-bg", "tide-max-dets"});
  if (speed)
    without.insert(without.end(), {"conf-thres", "iou-thres", "project", "name", "exist-ok"});
  if (study) without.emplace_back("img-size");
  if (!speed && !study) {
    if (o.measuring.analyses.draws == 0) without.emplace_back("seed");
    if (!o.measuring.analyses.errors)
      without.insert(without.end(), {"tide-pos", "tide-bg", "tide-max-dets"});
  }
  std::vector<std::string> found;
  for (const std::string& name : without)
    if (text::contains(given, name)) found.push_back(name);
  return found;
}

void judge_finite(const evaluation::ValidationResult& result, Output& output) {
  if (result.pictures_not_finite == 0) return;
  output.code = ExitCode::failure;
  log::error(fmt::format(
      "the predictions of {} of {} images are not finite in some rows, which are left out; the "
      "images are named above",
      result.pictures_not_finite, result.pictures));
}

namespace {

/// Whether the names were made up where the model was opened: 0, 1, …, or class0, class1, ….
bool unnamed(const std::vector<std::string>& names) {
  for (std::size_t c = 0; c < names.size(); ++c)
    if (names[c] != std::to_string(c) && names[c] != "class" + std::to_string(c)) return false;
  return true;
}

/// For each class of the model its number in the data; empty where both have the same order.
std::vector<int> data_classes(const api::OpenModel& model, const dataset::Index& index,
                              bool single_cls) {
  if (single_cls || model.names == index.names) return {};
  if (model.names.size() != index.names.size())
    throw Error(
        fmt::format("the model has {} classes, the data has {}: nothing can be compared "
                    "(--single-cls measures localisation alone)",
                    model.names.size(), index.names.size()));
  if (unnamed(model.names)) {
    log::warning("the model does not name its classes; they are taken in the order of the data");
    return {};
  }
  const auto found = dataset::match_classes(model.names, index.names);
  if (!found) {
    const auto other = std::mismatch(model.names.begin(), model.names.end(), index.names.begin());
    throw Error(fmt::format(
        "the classes of model and data differ: class {} is '{}' in the model and '{}' in the data",
        other.first - model.names.begin(), *other.first, *other.second));
  }
  log::info("model and data name the same classes in another order; matched by name: " +
            dataset::describe(*found, index.names));
  std::vector<int> data_class(model.names.size());
  for (std::size_t c = 0; c < found->model_class.size(); ++c)
    data_class[static_cast<std::size_t>(found->model_class[c])] = static_cast<int>(c);
  return data_class;
}

evaluation::ValidationOptions validation_options(const ValOptions& o) {
  evaluation::ValidationOptions options = o.measuring;
  options.keep_detections = o.save_txt || options.save_hybrid || o.save_json || is_coco(o.data);
  options.pictures = 3;
  options.stop = interrupt::token();
  options.analyses.stop = interrupt::token();
  options.analyses.error_list = true;
  options.analyses.breakdown = true;
  options.coco.max_detections = {o.coco_max_dets[0], o.coco_max_dets[1], o.coco_max_dets[2]};
  return options;
}

dataset::Index read_split(const ValOptions& o, const std::string& split,
                          const api::OpenModel& model, std::filesystem::path& annotations,
                          std::string& account) {
  const dataset::Description description =
      dataset::open_data(o.data, {o.recheck, o.strict, 0, interrupt::token()});
  const auto& entries = description.split(split);
  if (entries.empty())
    throw Error(
        fmt::format("{}: expected a key '{}' that names the images for --task {}, found none",
                    o.data, split, o.task));
  if (description.ready) account = description.ready->account;
  annotations = o.anno_json;
  if (annotations.empty() && is_coco(o.data) && !o.measuring.single_cls) {
    // COCO has the annotations of <root>/val2017.txt in <root>/annotations/instances_val2017.json.
    const std::filesystem::path beside =
        entries[0].parent_path() / "annotations" /
        fmt::format("instances_{}.json", entries[0].stem().string());
    std::error_code error;
    if (std::filesystem::exists(beside, error)) annotations = beside;
  }
  dataset::Index index =
      dataset::read_index(description, split,
                          {o.measuring.single_cls, o.strict, o.recheck, /*training=*/false,
                           /*threads=*/0, interrupt::token()});
  if (split != "train" && !model.dataset_identity.empty() &&
      index.identity == model.dataset_identity)
    log::warning(fmt::format(
        "the model was trained on the {} split: the metrics do not show how it does on new images",
        split));
  return index;
}

}  // namespace

Measurement prepare_measurement(const ValOptions& o, const std::string& split,
                                const api::OpenModel& model) {
  std::filesystem::path annotations;
  std::string account;
  Measurement m{read_split(o, split, model, annotations, account), validation_options(o),
                annotations.string()};
  m.data_account = account;
  m.options.data_class = data_classes(model, m.index, o.measuring.single_cls);
  m.options.image_size = api::usable_image_size(o.measuring.image_size, *model.detector);
  if (!annotations.empty())
    m.options.ground_truth = evaluation::ground_truth_of(m.index, annotations, is_coco(o.data));
  return m;
}

}  // namespace yolov7::cli
