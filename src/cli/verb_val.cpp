#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/model.hpp"
#include "cli/verb.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/class_match.hpp"
#include "dataset/description.hpp"
#include "evaluation/report.hpp"
#include "watch/report.hpp"

namespace yolov7::cli {
namespace {

struct ValOptions {
  std::vector<std::string> weights{"yolov7.pt"};
  std::string data = "data/coco.yaml", task = "val", device, project = "runs/test", name = "exp", precision = "float32", backend = "openvino";
  int batch_size = 32, img_size = 640, max_det = 300, max_nms = 30000, workers = 8, threads = 0;
  double conf_thres = 0.001, iou_thres = 0.65;
  bool single_cls = false, verbose = false, save_txt = false, save_hybrid = false, save_conf = false, save_json = false, exist_ok = false;
  bool augment = false, tta_clip_tails = false, no_trace = false, v5_metric = false, recheck = false, strict = false;
  std::string anno_json;
  std::vector<int> coco_max_dets{1, 10, 100};
  bool refused_switch = false;
  evaluation::AnalysisOptions analyses;
};

Settings settings(ValOptions& o) {
  Settings table{"val", {
      setting("weights", o.weights, "checkpoint; several make an ensemble"),
      setting("data", o.data, "data set description (data.yaml)"),
      setting("batch-size", o.batch_size, "pictures per batch").range(1, 65536),
      setting("img-size", o.img_size, "long side of the network input in pixels, rounded up to a multiple of the stride").range(1, 65535),
      setting("conf-thres", o.conf_thres, "confidence threshold of the suppression").range(0, 1),
      setting("iou-thres", o.iou_thres, "IoU threshold of the suppression").range(0, 1),
      setting("task", o.task, "split to measure on: val, test or train (speed and study come in a later version)"),
      setting("device", o.device, "empty or cpu"),
      setting("single-cls", o.single_cls, "measure localisation alone: all classes are one"),
      setting("augment", o.augment, "test-time augmentation: three passes over each picture"),
      setting("tta-clip-tails", o.tta_clip_tails, "augment: without the coarsest rows of the first pass and the finest of the last"),
      setting("verbose", o.verbose, "always print the rows of the classes, and more messages"),
      setting("save-txt", o.save_txt, "write label files"),
      setting("save-hybrid", o.save_hybrid, "label files of ground truth and predictions together; the metrics are then invalid"),
      setting("save-conf", o.save_conf, "with the confidence at the end of each line"),
      setting("save-json", o.save_json, "write a COCO result file"),
      setting("project", o.project, "parent of the run folder"),
      setting("name", o.name, "name of the run folder"),
      setting("exist-ok", o.exist_ok, "use an existing run folder"),
      setting("no-trace", o.no_trace, "do not trace the model").ignored("nothing is ever traced"),
      setting("v5-metric", o.v5_metric, "recall 1.0 as the end of the official precision-recall curve"),
      setting("anno-json", o.anno_json, "COCO annotation file for the COCO metric in place of the labels"),
      setting("coco-max-dets", o.coco_max_dets, "most detections per picture and category in the COCO metric; three, the largest counts for AP").range(1, 1e6),
      setting("half", o.refused_switch, "half precision").refused("use --precision bfloat16"),
      setting("max-det", o.max_det, "most objects per picture").range(1, 1e6),
      setting("max-nms", o.max_nms, "most boxes that enter the suppression").range(1, 1e8),
      setting("workers", o.workers, "most loader threads").range(0, 1024),
      setting("threads", o.threads, "of the network; 0 = the cores this process may use").range(0, 4096),
      setting("precision", o.precision, "of the network").choices({"float32", "bfloat16"}),
      setting("backend", o.backend, "openvino, or libtorch as the reference").choices({"openvino", "libtorch"}),
      setting("recheck", o.recheck, "read every picture again, whatever the cache says"),
      setting("strict", o.strict, "rows that would be dropped are errors"),
  }};
  for (Setting& one : evaluation::settings(o.analyses)) table.entries.push_back(std::move(one));
  return table;
}

/// Names that open_detector() made up.
bool unnamed(const std::vector<std::string>& names) {
  for (std::size_t c = 0; c < names.size(); ++c)
    if (names[c] != std::to_string(c)) return false;
  return true;
}

/// Data class by model class; empty where the order is the same.
std::vector<int> match(const OpenModel& model, const dataset::Index& index, bool single_cls) {
  if (single_cls || model.names == index.names) return {};
  if (model.names.size() != index.names.size())
    throw Error(fmt::format("the model has {} classes, the data has {}: nothing can be compared (--single-cls measures localisation alone)", model.names.size(), index.names.size()));
  if (unnamed(model.names)) {
    log::warning("the model does not name its classes; they are taken in the order of the data");
    return {};
  }
  const auto found = dataset::match_classes(model.names, index.names);
  if (!found) {
    const auto other = std::mismatch(model.names.begin(), model.names.end(), index.names.begin());
    throw Error(fmt::format("the classes of model and data differ: class {} is '{}' in the model and '{}' in the data", other.first - model.names.begin(), *other.first, *other.second));
  }
  log::info("model and data name the same classes in another order; matched by name: " + dataset::describe(*found, index.names));
  std::vector<int> data_class(model.names.size());
  for (std::size_t c = 0; c < found->model_class.size(); ++c) data_class[static_cast<std::size_t>(found->model_class[c])] = static_cast<int>(c);
  return data_class;
}

bool is_coco(const std::string& data) { return data.size() >= 9 && data.compare(data.size() - 9, 9, "coco.yaml") == 0; }

evaluation::ValidationOptions validation_options(const ValOptions& o) {
  evaluation::ValidationOptions options;
  options.batch_size = o.batch_size;
  options.conf_thres = o.conf_thres;
  options.iou_thres = o.iou_thres;
  options.max_det = o.max_det;
  options.max_nms = o.max_nms;
  options.single_cls = o.single_cls;
  options.v5_metric = o.v5_metric;
  options.save_hybrid = o.save_hybrid;
  options.keep_detections = o.save_txt || o.save_hybrid || o.save_json || is_coco(o.data);
  options.pictures = 3;
  options.workers = o.workers;
  options.interruptible = true;
  options.analyses = o.analyses;
  options.analyses.error_list = true;
  options.analyses.breakdown = true;
  options.coco.max_detections = {o.coco_max_dets[0], o.coco_max_dets[1], o.coco_max_dets[2]};
  return options;
}

ModelOptions model_options(const ValOptions& o) {
  ModelOptions options;
  options.weights = o.weights;
  options.backend = o.backend;
  options.augment = o.augment;
  options.clip_tails = o.tta_clip_tails;
  options.detector.precision = o.precision;
  options.detector.threads = o.threads;
  return options;
}

void check(const ValOptions& o) {
  require_cpu(o.device, "val");
  if (o.task == "speed" || o.task == "study") throw usage_error(fmt::format("val: --task {} does not work yet: a later version brings it", o.task));
  if (o.task != "val" && o.task != "test" && o.task != "train") throw usage_error(fmt::format("val: --task: expected val, test or train, found '{}'", o.task));
  if (o.coco_max_dets.size() != 3) throw usage_error(fmt::format("val: --coco-max-dets: expected three numbers, found {}", o.coco_max_dets.size()));
  if (o.single_cls && !o.anno_json.empty()) throw usage_error("val: --anno-json and --single-cls exclude each other");
  if (o.save_conf && !o.save_txt && !o.save_hybrid) log::warning("--save-conf has no effect without --save-txt");
  if (o.save_hybrid) log::warning("--save-hybrid: the labels are among the predictions; the metrics of this run are invalid");
}

dataset::Index read_split(const ValOptions& o, const OpenModel& model, std::filesystem::path& annotations) {
  const dataset::Description description = dataset::read_description(o.data);
  const auto& entries = description.split(o.task);
  if (entries.empty()) throw Error(fmt::format("{}: expected a key '{}' with the pictures for --task {}, found none", o.data, o.task, o.task));
  annotations = o.anno_json;
  if (annotations.empty() && is_coco(o.data) && !o.single_cls) {
    // Where COCO's own folders keep it: <root>/val2017.txt, <root>/annotations/instances_val2017.json.
    const std::filesystem::path beside = entries[0].parent_path() / "annotations" / fmt::format("instances_{}.json", entries[0].stem().string());
    std::error_code error;
    if (std::filesystem::exists(beside, error)) annotations = beside;
  }
  dataset::Index index = dataset::read_index(description, o.task, {o.single_cls, o.strict, o.recheck, false, 0});
  if (o.task != "train" && !model.dataset_identity.empty() && index.identity == model.dataset_identity)
    log::warning(fmt::format("the {} split is what the model was trained on: the figures are too good", o.task));
  return index;
}

/// The option set (evaluation 1.1), what is not in use left out.
std::string echo(const Settings& table) {
  std::vector<std::string> parts;
  for (const Setting& entry : table.entries)
    if (entry.refusal.empty() && entry.notice.empty()) parts.push_back(fmt::format("{}={}", entry.name, entry.text()));
  return "val: " + text::join(parts, ", ");
}

}  // namespace

nlohmann::json run_val(const std::vector<std::string>& arguments, Output& output) {
  ValOptions o;
  const Settings table = settings(o);
  if (!parse_arguments(table, arguments, output)) return {};
  if (o.verbose) log::set_level(log::Level::debug);
  check(o);
  output.line(echo(table));
  const OpenModel model = open_detector(model_options(o));
  std::filesystem::path annotations;
  const dataset::Index index = read_split(o, model, annotations);
  evaluation::ValidationOptions options = validation_options(o);
  options.data_class = match(model, index, o.single_cls);
  options.image_size = usable_image_size(o.img_size, *model.detector);
  if (!annotations.empty()) options.ground_truth = evaluation::ground_truth_of(index, annotations, is_coco(o.data));
  output.line(fmt::format("{}: {} at {} px; {}; {} split, {} pictures, {} labels", model.path, model.network.source, options.image_size, model.detector->description(), o.task,
                          index.entries.size(), index.label_count()));
  const std::string folder = make_run_folder(o.project, o.name, o.exist_ok);
  const evaluation::ValidationResult result = evaluation::evaluate(*model.detector, index, options);
  evaluation::ReportOptions report;
  report.label_files = o.save_txt || o.save_hybrid;
  report.with_confidence = o.save_conf;
  report.coco_ids = is_coco(o.data);
  report.weights = model.path;
  report.weights_hash = file::content_hash(file::read(model.path));
  report.detector = model.detector->description();
  if (!annotations.empty()) report.ground_truth = annotations.string();
  if (o.save_json || report.coco_ids) report.detections_json = std::filesystem::path(folder) / (std::filesystem::path(model.path).stem().string() + "_predictions.json");
  evaluation::write_report(folder, result, index, report);
  file::write_atomically(std::filesystem::path(folder) / "report.html", watch::validation_report(folder));
  for (const std::string& line : evaluation::console_lines(result, index, o.verbose || index.names.size() < 50)) output.line(line);
  output.line(fmt::format("Results in {}", folder));
  nlohmann::json json = evaluation::to_json(result, index, report);
  json["folder"] = folder;
  return json;
}

}  // namespace yolov7::cli
