#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/model.hpp"
#include "api/video_library.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/detect_collect.hpp"
#include "cli/verbs/detect_options.hpp"
#include "cli/verbs/detect_outputs.hpp"
#include "cli/verbs/detect_precision.hpp"
#include "cli/verbs/detect_report.hpp"
#include "cli/verbs/detect_writer.hpp"
#include "cli/verbs/server_access.hpp"
#include "cli/verbs/until_closed.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/output_guard.hpp"
#include "core/progress.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "runtime/frames/pipeline.hpp"
#include "runtime/results/result_names.hpp"

namespace yolov7::cli {
namespace {

using runtime::DetectResult;
using runtime::Frame;
using runtime::FrameKind;

/// One run: options, model, writer, and what adds up over the frames.
class Run {
 public:
  /// `given`: names of the options on the command line.
  Run(const DetectOptions& options, std::vector<std::string> given, Output& output)
      : options_(options), given_(std::move(given)), output_(output) {}

  nlohmann::json execute();

 private:
  void load_videos();
  void open_source();
  void open_model();
  api::OpenModel open_with(const std::string& precision, int streams) const;
  std::string chosen_precision();
  void name_results();
  void claim_results(const std::filesystem::path& folder);
  void make_writer();
  void process();
  void in_order(Frame& frame, DetectResult& result);
  void unreadable(const Frame& frame);
  bool without_answer(Frame& frame, const DetectResult& result);
  runtime::ByteTracker& tracker_of(const Frame& frame);
  void without_result(const Frame& frame);
  void report(const DetectResult& result, const Frame& frame);
  void summary(double rate);

  DetectOptions options_;  // with the thresholds that the model file wants
  std::vector<std::string> given_;
  Output& output_;
  runtime::SourceList list_;
  const runtime::VideoLibrary* videos_ = nullptr;
  std::string no_videos_;  // why there is no library
  std::unique_ptr<runtime::VideoWindow> window_;
  std::unique_ptr<runtime::FrameSource> source_;
  runtime::LiveFrames* live_ = nullptr;  // source_, or what stands behind it
  api::OpenModel model_;
  std::string detector_, precision_reason_;
  std::vector<std::unique_ptr<runtime::Detector>> workers_;
  runtime::LookOptions look_;
  std::string run_folder_;
  std::optional<runtime::ResultNames> names_;
  OutputGuard guard_;
  std::unique_ptr<DetectWriter> writer_;
  std::optional<FrameCollector> collector_;
  /// By the file of its tracks: one for a video, a stream, or a folder of pictures.
  std::map<std::filesystem::path, runtime::ByteTracker> trackers_;
  std::unique_ptr<Progress> progress_;
  DetectCounts counts_;
  std::size_t frames_not_finite_ = 0;
  std::chrono::steady_clock::time_point first_result_;
  nlohmann::json pictures_json_ = nlohmann::json::array(), unreadable_ = nlohmann::json::array(),
                 not_finite_ = nlohmann::json::array();
};

/// Without the library the pictures beside videos are looked at, and each video is named.
void Run::load_videos() {
  if (list_.videos.empty() && list_.streams.empty() && !options_.view_img) return;
  try {
    videos_ = &api::video_library();
  } catch (const Error& error) {
    if (list_.pictures.empty() || options_.view_img) throw;
    no_videos_ = error.what();
  }
}

void Run::open_source() {
  const runtime::FrameLimits limits = options_.limits();
  if (!list_.streams.empty()) {
    if (options_.vid_stride > 1)
      log::warning("--vid-stride has no effect on cameras and streams: their latest frame counts");
    auto live = runtime::live_frames(list_.streams, limits, options_.live, *videos_);
    live_ = live.get();
    source_ = std::move(live);
    return;
  }
  std::vector<std::unique_ptr<runtime::FrameSource>> parts;
  if (!list_.pictures.empty()) parts.push_back(runtime::picture_frames(list_.pictures, limits));
  if (!list_.videos.empty() && videos_ != nullptr)
    parts.push_back(runtime::video_frames(list_.videos, limits, *videos_));
  else if (!list_.videos.empty())
    parts.push_back(runtime::refused_videos(list_.videos, no_videos_));
  source_ =
      parts.size() == 1 ? std::move(parts[0]) : runtime::one_after_the_other(std::move(parts));
}

api::OpenModel Run::open_with(const std::string& precision, int streams) const {
  api::ModelOptions options = options_.model;
  options.detector.precision = precision;
  options.detector.streams = streams;
  options.detector.cache_folder = api::model_cache_folder(options_.model_cache);
  return api::open_detector(options);
}

std::string Run::chosen_precision() {
  if (options_.model.detector.precision != "auto") return options_.model.detector.precision;
  PrecisionChoice choice =
      choose_precision(options_, given_, list_, look_,
                       [this](const char* precision) { return open_with(precision, 1); });
  precision_reason_ = fmt::format("{}: {}", choice.precision, choice.reason);
  output_.line("precision " + precision_reason_);
  return std::move(choice.precision);
}

void Run::open_model() {
  look_ = options_.look;
  look_.nms = options_.nms_options();
  look_.stop = interrupt::token();
  const std::string precision = chosen_precision();
  const int threads = threads_or_all(options_.model.detector.threads);
  const int streams = several_at_once(options_, list_)
                          ? (options_.nstreams > 0 ? options_.nstreams : std::min(threads, 16))
                          : 1;
  model_ = open_with(precision, streams);
  for (const int index : options_.look.nms.classes)
    if (index >= model_.network.class_count)
      throw usage_error(fmt::format("detect: --classes: expected 0 to {}, found {}",
                                    model_.network.class_count - 1, index));
  api::require_agreement(model_, look_.image_size, options_.look.nms, given_);
  api::take_wanted_thresholds(model_, given_, options_.look.nms);
  require_doubt(options_);
  look_.nms = options_.nms_options();  // tracks go on with less
  look_.image_size = api::usable_image_size(look_.image_size, *model_.detector);
  detector_ = model_.detector->description();
  output_.line(fmt::format("{}: {} classes, {} at {} px; {}", model_.path,
                           model_.network.class_count, model_.network.source, look_.image_size,
                           detector_));
  // Two more than the network takes at once: while they wait for it, somebody reads and draws.
  workers_ = workers(model_, streams > 1 ? static_cast<std::size_t>(streams) + 2 : 1);
}

/// A wrong place is refused before the network is read.
void Run::name_results() {
  names_.emplace(list_);
  warn_of_names(options_, *names_);
  if (!options_.exist_ok) return;  // a new folder holds no source
  protect_inputs(options_, list_, guard_);
  claim_results(std::filesystem::path(options_.project) / options_.name);
}

void Run::claim_results(const std::filesystem::path& folder) {
  for (const auto& path : DetectWriter::planned(folder, *names_, writer_options(options_)))
    guard_.claim(path);
}

void Run::make_writer() {
  if (!options_.collect.empty()) collector_.emplace(options_, list_, model_.names, model_.path);
  run_folder_ = make_run_folder(options_.project, options_.name, options_.exist_ok);
  if (!options_.exist_ok) claim_results(run_folder_);
  DetectWriter::Options writer = writer_options(options_);
  writer.videos = videos_;
  writer_ = std::make_unique<DetectWriter>(run_folder_, model_.names, *names_, guard_, writer);
}

/// A frame that cannot be read is named, and the run goes on.
void Run::unreadable(const Frame& frame) {
  log::error(fmt::format("{}unreadable: {}", prefix_of(frame), frame.error));
  unreadable_.push_back({{"path", frame.origin->name}, {"error", frame.error}});
  if (frame.origin->kind != FrameKind::video) return;
  unreadable_.back()["frame"] = frame.number;
  unreadable_.back()["in_part"] = frame.number > 1;  // the frames before it were looked at
}

/// Rows that are not finite are counted and the frame is named. True: there is no other row, so
/// the network gave no answer; a picture has no result then, and a frame of a video stays as it is.
bool Run::without_answer(Frame& frame, const DetectResult& result) {
  if (result.dropped_not_finite == 0) return false;
  ++frames_not_finite_;
  if (frame.origin->kind != FrameKind::stream)
    not_finite_.push_back(not_finite_json(result, frame));
  const std::string line = prefix_of(frame) + not_finite_text(result);
  if (!result.nothing_finite()) {
    log::warning(line);
    return false;
  }
  log::error(line);
  if (frame.origin->kind == FrameKind::picture) frame.error = line;
  return true;
}

runtime::ByteTracker& Run::tracker_of(const Frame& frame) {
  return trackers_.try_emplace(names_->tracks(frame), options_.track_options()).first->second;
}

/// For objects that are followed it is a frame in which they are out of sight.
void Run::without_result(const Frame& frame) {
  if (options_.track) tracker_of(frame).update({});
  writer_->remove_earlier(frame);
}

void Run::in_order(Frame& frame, DetectResult& result) {
  if (progress_) progress_->advance();
  if (!frame.error.empty()) {
    unreadable(frame);
    return without_result(frame);
  }
  if (without_answer(frame, result)) return without_result(frame);
  if (collector_) collector_->offer(frame, result.detections);
  if (options_.track) result.detections = tracker_of(frame).update(result.detections);
  writer_->record(frame, result.detections);
  report(result, frame);
  if (output_.json && frame.origin->kind != FrameKind::stream)
    pictures_json_.push_back(to_json(result, frame, model_.names));
}

void Run::report(const DetectResult& result, const Frame& frame) {
  const runtime::DetectTiming& t = result.timing;
  counts_.add(result, frame);
  if (counts_.frames == 1) first_result_ = std::chrono::steady_clock::now();
  const std::string prefix = prefix_of(frame);
  const std::string found =
      result.detections.empty()
          ? fmt::format("nothing found (highest score {:.4f}, threshold {}), ",
                        result.highest_score, text::general(options_.look.nms.conf_thres))
          : counts_text(result.detections, model_.names);
  output_.line(fmt::format("{}{}x{} {}Done. ({:.1f} ms pre, {:.1f} ms inference, {:.1f} ms post)",
                           prefix, frame.bgr.rows, frame.bgr.cols, found, t.pre, t.inference,
                           t.post));
}

void Run::process() {
  // Lines on the same terminal are progress enough.
  if (output_.json || !log::shows_live())
    progress_ = std::make_unique<Progress>("detect", source_->total(),
                                           list_.pictures.empty() ? "frame" : "image");
  runtime::PipelineStages stages;
  stages.in_order = [&](Frame& frame, DetectResult& result) { in_order(frame, result); };
  stages.drawn = [&](Frame& frame, DetectResult& result) {
    if (frame.error.empty()) writer_->draw(frame, result.detections);
  };
  stages.delivered = [&](Frame& frame, DetectResult&) {
    if (!frame.error.empty()) return;
    writer_->deliver(frame);
    const bool stream = frame.origin->kind == FrameKind::stream;
    if (window_)
      window_->show(frame.bgr, stream ? frame.origin->number : 0, stream ? frame.origin->of : 1);
  };
  const auto finish = [this] {
    writer_->finish();
    if (collector_) collector_->finish();
  };
  try {
    runtime::run_pipeline(*source_, workers_, look_, options_.batch_size, stages);
  } catch (...) {
    finish();  // what is there can be used
    throw;
  }
  finish();
  if (progress_) progress_->finish();
}

void Run::summary(double rate) {
  const auto n = static_cast<double>(std::max<std::size_t>(counts_.frames, 1));
  const bool only_pictures = list_.videos.empty() && list_.streams.empty();
  const std::string frame = only_pictures ? "image" : "frame";
  const runtime::DetectTiming& total = counts_.timing;
  output_.line(fmt::format(
      "{}, {}, {} unreadable, {:.1f} a second; mean of one {:.1f} ms pre, {:.1f} ms "
      "inference, {:.1f} ms post; {:.1f} ms compiling",
      counted(counts_.frames, frame), counted(counts_.objects, "object"), unreadable_.size(), rate,
      total.pre / n, total.inference / n, total.post / n, total.compile));
  if (options_.track) {
    std::uint64_t tracks = 0;
    for (const auto& [name, tracker] : trackers_) tracks += tracker.tracks();
    output_.line(counted(tracks, "track"));
  }
  for (const auto& one :
       live_ != nullptr ? live_->counters() : std::vector<runtime::StreamCounters>())
    output_.line(stream_line(one));
  if (collector_) output_.line(collector_->line());
  for (const std::string& line : counts_.warnings(look_.nms, frame)) log::warning(line);
  if (!unreadable_.empty()) {
    output_.code = ExitCode::failure;
    log::error(fmt::format("{} of {} {} could not be read; they are named above",
                           unreadable_.size(), list_.pictures.size() + list_.videos.size(),
                           only_pictures ? "images" : "images or videos"));
  }
  if (frames_not_finite_ > 0) {
    output_.code = ExitCode::failure;
    log::error(fmt::format("the predictions of {} are not finite ({}); they are named above",
                           counted(frames_not_finite_, frame), detector_));
  }
  if (options_.writes_results()) output_.line(fmt::format("Results in {}", run_folder_));
}

nlohmann::json Run::execute() {
  const auto start = std::chrono::steady_clock::now();
  const auto passed = [](std::chrono::steady_clock::time_point from) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  };
  // Opened streams run at once, so the network comes first; a wrong source does not wait for it.
  api::require_weights(options_.model.weights);
  list_ = runtime::list_sources(options_.source);
  load_videos();
  name_results();
  if (options_.view_img) window_ = videos_->window("yolov7 detect");
  open_model();
  open_source();
  if (window_) source_ = std::make_unique<UntilClosed>(std::move(source_), *window_);
  make_writer();
  const auto begun = std::chrono::steady_clock::now();
  process();
  // From the first result to the last: compiling belongs to no picture.
  const auto frames = static_cast<double>(counts_.frames);
  const double rate = frames > 1 ? (frames - 1) / std::max(passed(first_result_), 1e-9)
                                 : frames / std::max(passed(begun), 1e-9);
  summary(rate);
  const double seconds = passed(start);
  output_.line(fmt::format("Done. ({:.3f} s)", seconds));
  nlohmann::json json{
      {"weights", model_.path},
      {"detector", detector_},
      {"image_size", look_.image_size},
      {"names", model_.names},
      {"run_folder", run_folder_},
      {"pictures", std::move(pictures_json_)},
      {"unreadable", std::move(unreadable_)},
      {"truncated", counts_.truncated},
      {"with_further_images", counts_.with_further},
      {"at_max_det", counts_.at_max_det},
      {"beyond_max_nms", counts_.beyond_max_nms},
      {"not_finite", std::move(not_finite_)},
      {"frames", counts_.frames},
      {"frames_per_second", rate},
      {"objects", counts_.objects},
      {"streams", live_ != nullptr ? to_json(live_->counters()) : nlohmann::json::array()},
      {"seconds", seconds},
      {"peak_memory_bytes", peak_resident_bytes()}};
  if (options_.model.weights.size() > 1) json["ensemble"] = options_.model.weights;
  if (collector_) json["collected"] = collector_->report();
  if (!precision_reason_.empty()) json["precision"] = precision_reason_;
  return json;
}

}  // namespace

nlohmann::json run_detect(const std::vector<std::string>& arguments, Output& output) {
  DetectOptions options;
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  api::require_cpu(options.device, "detect");
  const std::vector<std::string> given = given_names(table, arguments);
  check(options);
  if (text::contains(given, "conf-thres")) require_doubt(options);  // else a file may tell it
  warn_of_unused(options, given);
  take_server_access(options.model);
  set_truncated_rule(options.truncated);
  output.line(options_line(table, options.source));
  return Run(options, given, output).execute();
}

}  // namespace yolov7::cli
