#include "cli/verbs/detect_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

NmsOptions DetectOptions::nms_options() const {
  NmsOptions nms = look.nms;
  if (track) nms.conf_thres = std::min(nms.conf_thres, tracking.low);
  return nms;
}

runtime::TrackOptions DetectOptions::track_options() const {
  runtime::TrackOptions options = tracking;
  if (options.high <= 0) options.high = look.nms.conf_thres;
  options.low = std::min(options.low, options.high);
  options.agnostic = look.nms.agnostic;
  return options;
}

runtime::FrameLimits DetectOptions::limits() const {
  runtime::FrameLimits limits;
  limits.stop = interrupt::token();
  limits.picture.pixels = limits.video.pixels = static_cast<std::uint64_t>(max_megapixels * 1e6);
  limits.picture.file_bytes = static_cast<std::uint64_t>(max_megabytes * 1024 * 1024);
  limits.video.open_seconds = limits.video.read_seconds = stream_timeout;
  limits.frames = static_cast<std::size_t>(max_frames);
  limits.seconds = max_seconds;
  limits.stride = vid_stride;
  return limits;
}

namespace {

std::vector<Setting> source_settings(DetectOptions& o) {
  return group(
      "Source",
      {setting("source", o.source,
               "image, video, folder (not recursive), pattern with *, ? and **, camera number, "
               "address (rtsp, http, ...), .txt list of these, or - for standard input")
           .basic(),
       setting("vid-stride", o.vid_stride, "every n-th frame of a video").range(1, 1e6),
       setting("max-frames", o.max_frames, "of each video or stream; 0 = no limit").range(0, 1e9),
       setting("max-seconds", o.max_seconds, "of the whole run; 0 = no limit").range(0, 1e9),
       setting("max-megapixels", o.max_megapixels, "larger images are refused").range(0.01, 1e5),
       setting("max-megabytes", o.max_megabytes, "larger image files are refused")
           .range(0.001, 1e6),
       setting("stream-timeout", o.stream_timeout,
               "seconds without data after which a video or stream counts as broken")
           .range(0.1, 1e5)});
}

std::vector<Setting> output_settings(DetectOptions& o) {
  return group(
      "Output",
      {setting("project", o.project, "parent of the run folder").basic(),
       setting("name", o.name, "name of the run folder").basic(),
       setting("exist-ok", o.exist_ok,
               "use the folder again; earlier results are replaced, sources never"),
       setting("save-txt", o.save_txt,
               "write label files; with --track also tracks/*.txt in the format of MOTChallenge")
           .basic(),
       setting("save-conf", o.save_conf, "with the confidence at the end of each line"),
       setting("save-crop", o.save_crop,
               "save each object as an image, in a folder for each class"),
       setting("save-json", o.save_json, "write predictions.json in COCO's result format"),
       setting("save-csv", o.save_csv, "write detections.csv, a line for each object"),
       setting("nosave", o.nosave, "do not write annotated images and videos").basic(),
       setting("view-img", o.view_img,
               "show results in a window, several streams side by side; q or Escape ends the run")
           .basic(),
       setting("video-codec", o.video_codec,
               "encoder of annotated videos, of those that FFmpeg has")});
}

std::vector<Setting> palette_settings(DetectOptions& o) {
  return group("Drawing", {setting("seed", o.seed, "another palette").range(0, 1e9)});
}

std::vector<Setting> track_settings(DetectOptions& o) {
  return group("Tracks",
               {setting("track", o.track,
                        "number objects over the frames of a video or stream, or over the images "
                        "of a folder (ByteTrack)")});
}

std::vector<Setting> collect_settings(DetectOptions& o) {
  return group(
      "Collecting",
      {setting("collect", o.collect,
               "folder that keeps doubtful images and frames with their detections, for people to "
               "label; a run adds to it"),
       setting("below", o.collecting.below, "doubtful: a detection with a lower confidence")
           .range(0, 1),
       setting("limit-per-hour", o.collecting.per_hour,
               "collect at most so many images in an hour; 0 = no limit")
           .range(0, 1e9),
       setting("collect-limit-mb", o.collecting.megabytes,
               "largest size of the folder, MB; then nothing more is collected")
           .range(0.001, 1e9),
       setting("collect-similar", o.collecting.keep_similar,
               "collect images that show what a collected one shows, too")});
}

std::vector<Setting> machine_settings(DetectOptions& o) {
  return group(
      "Machine",
      {setting("device", o.device, "empty or cpu").basic(),
       setting("precision", o.model.detector.precision,
               "of the network; auto = the fastest that finds the same boxes as float32 in the "
               "first images")
           .choices({"float32", "bfloat16", "auto"}),
       setting("performance", o.performance,
               "latency: one image on all threads; throughput: several at once; auto = by the "
               "source")
           .choices({"auto", "latency", "throughput"}),
       setting("nstreams", o.nstreams, "throughput: images at once; 0 = the threads, at most 16")
           .range(0, 256),
       setting("batch-size", o.batch_size, "images in one call of the network").range(1, 1024),
       setting("model-cache", o.model_cache,
               "folder for compiled networks, 'auto' = the user's cache folder, 'none'")});
}

std::vector<Setting> without_effect(DetectOptions& o) {
  return {
      setting("no-trace", o.no_trace, "do not trace the model").ignored("nothing is ever traced"),
      setting("update", o.refused_switch, "refresh and strip the released weights")
          .refused("nothing is ever downloaded or rewritten by detect"),
      setting("half", o.refused_switch, "half precision").refused("use --precision bfloat16"),
      setting("nms-time-limit", o.refused_number, "seconds for the suppression")
          .refused("there is no limit; no result is dropped"),
  };
}

}  // namespace

Settings settings(DetectOptions& o) {
  NmsOptions& nms = o.look.nms;
  return {"detect",
          joined({settings(o.model), source_settings(o), truncated_settings(o.truncated, "Source"),
                  settings(o.live), settings(o.look), threshold_settings(nms), filter_settings(nms),
                  limit_settings(nms), kind_settings(nms), machine_settings(o), output_settings(o),
                  collect_settings(o), settings(o.draw), palette_settings(o), track_settings(o),
                  settings(o.tracking), without_effect(o)})};
}

bool several_at_once(const DetectOptions& o, const runtime::SourceList& list) {
  if (o.model.backend != "openvino" || o.performance == "latency") return false;
  if (o.performance == "throughput") return true;
  constexpr std::size_t few = 8;
  return list.streams.empty() && (!list.videos.empty() || list.pictures.size() > few);
}

void require_doubt(const DetectOptions& o) {
  if (!o.collect.empty() && o.collecting.below <= o.look.nms.conf_thres)
    throw usage_error(fmt::format(
        "detect: --below: expected more than --conf-thres {}, found {}: no detection lies between",
        text::general(o.look.nms.conf_thres), text::general(o.collecting.below)));
}

void check(const DetectOptions& o) {
  if (o.save_conf && !o.save_txt) log::warning("--save-conf has no effect without --save-txt");
  if (o.model.clip_tails && !o.model.augment)
    log::warning("--tta-clip-tails has no effect without --augment");
  const active::CollectOptions usual{};
  const bool collects = o.collecting.below != usual.below ||
                        o.collecting.per_hour != usual.per_hour ||
                        o.collecting.megabytes != usual.megabytes || o.collecting.keep_similar;
  if (o.collect.empty() && collects)
    log::warning(
        "--below, --limit-per-hour, --collect-limit-mb and --collect-similar have no effect "
        "without --collect");
  require_possible(o.look.nms, "detect");
}

void warn_of_unused(const DetectOptions& o, const std::vector<std::string>& given) {
  const auto needs = [&](bool used, const std::string& how,
                         std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (!used && text::contains(given, name))
        log::warning(fmt::format("--{} has no effect {}", name, how));
  };
  needs(o.track, "without --track", {"track-high", "track-low", "track-iou", "track-buffer"});
  needs(o.look.tile > 0, "without --tile", {"tile-overlap"});
  const std::string_view kind = nms_kind_name(o.look.nms.kind);
  const std::string how = fmt::format("with --nms {}", kind);
  needs(kind == "soft-linear", how, {"soft-nt"});
  needs(kind == "soft-gaussian", how, {"soft-sigma"});
  needs(kind.starts_with("soft"), how, {"soft-nms-thres"});
  needs(kind == "diou" || kind == "cluster-diou" || kind == "cluster-spm-dist", how, {"diou-beta"});
  needs(kind == "matrix-gaussian", how, {"matrix-sigma"});
  needs(kind.starts_with("matrix"), how, {"matrix-post-thres"});
  needs(kind.starts_with("cluster-spm"), how, {"cluster-sigma", "cluster-post-thres"});
  needs(kind == "adaptive", how, {"adaptive-distinct", "adaptive-share"});
  needs(kind == "wbf", how,
        {"wbf-iou", "wbf-skip", "wbf-weights", "wbf-conf-type", "wbf-allow-overflow"});
}

}  // namespace yolov7::cli
