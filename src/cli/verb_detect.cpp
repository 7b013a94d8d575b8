#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/detect_writer.hpp"
#include "cli/model.hpp"
#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "image/codec.hpp"
#include "runtime/detect.hpp"
#include "runtime/sources.hpp"

namespace yolov7::cli {
namespace {

struct DetectOptions {
  std::vector<std::string> weights{"yolov7.pt"};
  std::string source = "inference/images";
  int img_size = 640;
  double conf_thres = 0.25, iou_thres = 0.45;
  std::string device;
  bool save_txt = false, save_conf = false, nosave = false, agnostic_nms = false, exist_ok = false, no_trace = false;
  bool hide_labels = false, hide_conf = false;
  std::vector<int> classes;
  std::string project = "runs/detect", name = "exp", precision = "float32", backend = "openvino";
  int max_det = 300, max_nms = 30000, line_thickness = 0, threads = 0, seed = 0;
  bool refused_switch = false;  ///< target of the options that are refused
  double refused_number = 0;
};

std::vector<Setting> refused_settings(DetectOptions& o) {
  const char* later = "it comes in a later version";
  return {
      setting("view-img", o.refused_switch, "show each result in a window").refused("there is no window; the annotated pictures are in the run folder"),
      setting("augment", o.refused_switch, "test-time augmentation").refused(later),
      setting("update", o.refused_switch, "refresh and strip the released weights").refused("nothing is ever downloaded or rewritten by detect"),
      setting("save-json", o.refused_switch, "COCO result file").refused("it comes in a later version; --json prints every box"),
      setting("save-crop", o.refused_switch, "save each object as a picture").refused(later),
      setting("half", o.refused_switch, "half precision").refused("use --precision bfloat16"),
      setting("vid-stride", o.refused_number, "every n-th frame of a video").refused("videos come in a later version"),
      setting("nms-time-limit", o.refused_number, "seconds for the suppression").refused("there is no limit; no result is dropped"),
  };
}

Settings settings(DetectOptions& o) {
  Settings table{"detect", {
      setting("weights", o.weights, "checkpoint"),
      setting("source", o.source, "picture, folder (not recursive) or pattern with *, ? and **"),
      setting("img-size", o.img_size, "long side of the network input in pixels, rounded up to a multiple of the stride").range(1, 65535),
      setting("conf-thres", o.conf_thres, "confidence threshold").range(0, 1),
      setting("iou-thres", o.iou_thres, "IoU threshold of the suppression").range(0, 1),
      setting("device", o.device, "empty or cpu"),
      setting("save-txt", o.save_txt, "write label files"),
      setting("save-conf", o.save_conf, "with the confidence at the end of each line"),
      setting("nosave", o.nosave, "do not write annotated pictures"),
      setting("classes", o.classes, "keep only these class numbers").range(0, 1e6),
      setting("agnostic-nms", o.agnostic_nms, "suppress across classes"),
      setting("project", o.project, "parent of the run folder"),
      setting("name", o.name, "name of the run folder"),
      setting("exist-ok", o.exist_ok, "use an existing run folder"),
      setting("no-trace", o.no_trace, "do not trace the model").ignored("nothing is ever traced"),
      setting("max-det", o.max_det, "most objects per picture").range(1, 1e6),
      setting("max-nms", o.max_nms, "most boxes that enter the suppression").range(1, 1e8),
      setting("line-thickness", o.line_thickness, "of the boxes in pixels; 0 = by the picture's size").range(0, 100),
      setting("hide-labels", o.hide_labels, "boxes without captions"),
      setting("hide-conf", o.hide_conf, "captions without confidence"),
      setting("seed", o.seed, "another palette").range(0, 1e9),
      setting("precision", o.precision, "of the network").choices({"float32", "bfloat16"}),
      setting("backend", o.backend, "openvino, or libtorch as the reference").choices({"openvino", "libtorch"}),
      setting("threads", o.threads, "of the network; 0 = the cores this process may use").range(0, 4096),
  }};
  for (Setting& refused : refused_settings(o)) table.entries.push_back(std::move(refused));
  return table;
}

std::string counted(std::size_t n, const std::string& name) { return fmt::format("{} {}{}", n, name, n == 1 ? "" : "s"); }

/// "3 RBCs, 1 WBC, ": classes ascending.
std::string counts_text(const std::vector<Detection>& detections, const std::vector<std::string>& names) {
  std::map<int, std::size_t> counts;
  for (const Detection& detection : detections) ++counts[detection.class_index];
  std::string out;
  for (const auto& [index, count] : counts) out += counted(count, names.at(static_cast<std::size_t>(index))) + ", ";
  return out;
}

nlohmann::json to_json(const runtime::DetectResult& result, cv::Size picture, const std::string& path, const std::vector<std::string>& names) {
  nlohmann::json boxes = nlohmann::json::array();
  for (const Detection& d : result.detections)
    boxes.push_back({{"class", d.class_index}, {"name", names.at(static_cast<std::size_t>(d.class_index))}, {"score", d.score},
                     {"xyxy", {d.box.x1, d.box.y1, d.box.x2, d.box.y2}}});
  const runtime::DetectTiming& t = result.timing;
  return {{"path", path}, {"width", picture.width}, {"height", picture.height}, {"input_width", result.input.width},
          {"input_height", result.input.height}, {"highest_score", result.highest_score}, {"detections", std::move(boxes)},
          {"milliseconds", {{"pre", t.pre}, {"inference", t.inference}, {"post", t.post}, {"compile", t.compile}}}};
}

/// One run: options, model, writer, and what adds up over the pictures.
class Run {
 public:
  Run(const DetectOptions& options, Output& output) : options_(options), output_(output) {}

  nlohmann::json execute();

 private:
  void open();
  void make_writer();
  void one(const runtime::SourcePicture& source, const std::string& prefix);
  void report(const runtime::DetectResult& result, cv::Size picture, const std::string& prefix);
  void summary();

  const DetectOptions& options_;
  Output& output_;
  OpenModel model_;
  NmsOptions nms_;
  int image_size_ = 0;
  std::string run_folder_;
  std::unique_ptr<DetectWriter> writer_;
  runtime::DetectBuffers buffers_;
  runtime::DetectTiming total_;
  std::size_t pictures_ = 0, objects_ = 0;
  nlohmann::json pictures_json_ = nlohmann::json::array(), unreadable_ = nlohmann::json::array();
};

void Run::open() {
  runtime::DetectorOptions detector;
  detector.precision = options_.precision;
  detector.threads = options_.threads;
  model_ = open_detector(options_.weights, detector, options_.backend);
  for (const int index : options_.classes)
    if (index >= model_.network.class_count)
      throw usage_error(fmt::format("detect: --classes: expected 0 to {}, found {}", model_.network.class_count - 1, index));
  image_size_ = usable_image_size(options_.img_size, *model_.detector);
  nms_ = {.conf_thres = options_.conf_thres, .iou_thres = options_.iou_thres, .agnostic = options_.agnostic_nms, .classes = options_.classes,
          .max_det = options_.max_det, .max_nms = options_.max_nms};
  output_.line(fmt::format("{}: {} classes, {} at {} px; {}", model_.path, model_.network.class_count, model_.network.source, image_size_,
                           model_.detector->description()));
}

void Run::make_writer() {
  run_folder_ = make_run_folder(options_.project, options_.name, options_.exist_ok);
  DetectWriter::Options writer{options_.save_txt, options_.save_conf, !options_.nosave, {}};
  writer.draw = {options_.line_thickness, options_.hide_labels, options_.hide_conf, static_cast<std::uint64_t>(options_.seed)};
  writer_ = std::make_unique<DetectWriter>(run_folder_, model_.names, writer);
}

/// A picture that cannot be read is named, and the run goes on.
void Run::one(const runtime::SourcePicture& source, const std::string& prefix) {
  cv::Mat picture;
  try {
    picture = read_picture(source.path);
  } catch (const Error& error) {
    log::error(fmt::format("{}unreadable: {}", prefix, error.what()));
    unreadable_.push_back({{"path", source.path.string()}, {"error", error.what()}});
    return;
  }
  const runtime::DetectResult result = runtime::detect(*model_.detector, picture, image_size_, nms_, buffers_);
  const std::filesystem::path saved = writer_->write(source.path, source.relative, picture, result.detections);
  report(result, picture.size(), prefix);
  if (!saved.empty()) log::debug(fmt::format("saved {}", saved.string()));
  if (output_.json) pictures_json_.push_back(to_json(result, picture.size(), source.path.string(), model_.names));
}

void Run::report(const runtime::DetectResult& result, cv::Size picture, const std::string& prefix) {
  const runtime::DetectTiming& t = result.timing;
  total_ = {total_.pre + t.pre, total_.inference + t.inference, total_.post + t.post, total_.compile + t.compile};
  ++pictures_;
  objects_ += result.detections.size();
  if (result.dropped_not_finite > 0)
    log::warning(fmt::format("{}{} rows of the prediction are not finite and are left out", prefix, result.dropped_not_finite));
  const std::string found = result.detections.empty()
      ? fmt::format("nothing found (highest score {:.4f}, threshold {}), ", result.highest_score, text::general(options_.conf_thres))
      : counts_text(result.detections, model_.names);
  output_.line(fmt::format("{}{}x{} {}Done. ({:.1f} ms pre, {:.1f} ms inference, {:.1f} ms post)", prefix, picture.height, picture.width, found,
                           t.pre, t.inference, t.post));
}

void Run::summary() {
  const auto n = static_cast<double>(std::max<std::size_t>(pictures_, 1));
  output_.line(fmt::format("{}, {}, {} unreadable; mean per picture {:.1f} ms pre, {:.1f} ms inference, {:.1f} ms post; {:.1f} ms compiling",
                           counted(pictures_, "picture"), counted(objects_, "object"), unreadable_.size(), total_.pre / n, total_.inference / n, total_.post / n, total_.compile));
  if (!unreadable_.empty()) {
    output_.code = ExitCode::failure;
    log::error(fmt::format("{} of {} pictures could not be read; they are named above", unreadable_.size(), pictures_ + unreadable_.size()));
  }
  if (options_.save_txt || !options_.nosave) output_.line(fmt::format("Results in {}", run_folder_));
}

nlohmann::json Run::execute() {
  const auto start = std::chrono::steady_clock::now();
  open();
  const runtime::SourceList sources = runtime::list_sources(options_.source);
  if (sources.videos > 0) log::warning(fmt::format("{} videos in {} are left out; videos come in a later version", sources.videos, options_.source));
  make_writer();
  for (std::size_t i = 0; i < sources.pictures.size(); ++i) {
    interrupt::check();
    one(sources.pictures[i], fmt::format("image {}/{} {}: ", i + 1, sources.pictures.size(), sources.pictures[i].path.string()));
  }
  summary();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  output_.line(fmt::format("Done. ({:.3f} s)", seconds));
  return {{"weights", model_.path}, {"detector", model_.detector->description()}, {"image_size", image_size_}, {"names", model_.names},
          {"run_folder", run_folder_}, {"pictures", std::move(pictures_json_)}, {"unreadable", std::move(unreadable_)},
          {"videos_left_out", sources.videos}, {"seconds", seconds}};
}

}  // namespace

nlohmann::json run_detect(const std::vector<std::string>& arguments, Output& output) {
  DetectOptions options;
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  require_cpu(options.device, "detect");
  if (options.save_conf && !options.save_txt) log::warning("--save-conf has no effect without --save-txt");
  std::vector<std::string> echo;
  for (const Setting& entry : table.entries)
    if (entry.refusal.empty() && entry.notice.empty()) echo.push_back(fmt::format("{}={}", entry.name, entry.text()));
  output.line("detect: " + text::join(echo, ", "));
  return Run(options, output).execute();
}

}  // namespace yolov7::cli
