#include "cli/verbs/detect_options.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"

namespace yolov7::cli {

NmsOptions DetectOptions::nms_options() const {
  NmsOptions o;
  o.conf_thres = track ? std::min(conf_thres, track_low) : conf_thres;
  o.iou_thres = iou_thres;
  o.multi_label = multi_label;
  o.agnostic = agnostic_nms;
  o.classes = classes;
  o.max_det = max_det;
  o.max_nms = max_nms;
  nms.apply(o);
  return o;
}

runtime::TrackOptions DetectOptions::track_options() const {
  const double high = track_high > 0 ? track_high : conf_thres;
  return {high, std::min(track_low, high), track_iou, track_buffer, agnostic_nms};
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

runtime::LiveOptions DetectOptions::live() const {
  runtime::LiveOptions live;
  live.retries = stream_retries;
  return live;
}

namespace {

std::vector<Setting> what_is_saved(DetectOptions& o) {
  return {
      setting("save-txt", o.save_txt,
              "write label files; with --track also tracks/*.txt in the format of MOTChallenge"),
      setting("save-conf", o.save_conf, "with the confidence at the end of each line"),
      setting("save-crop", o.save_crop,
              "save each object as a picture, in a folder for each class"),
      setting("save-json", o.save_json, "write predictions.json in COCO's result format"),
      setting("save-csv", o.save_csv, "write detections.csv, a line for each object"),
      setting("nosave", o.nosave, "do not write annotated pictures and videos"),
      setting("view-img", o.view_img,
              "show results in a window, several streams side by side; q or Escape ends the run"),
      setting("line-thickness", o.line_thickness,
              "of the boxes in pixels; 0 = by the picture's size")
          .range(0, 100),
      setting("hide-labels", o.hide_labels, "boxes without captions"),
      setting("hide-conf", o.hide_conf, "captions without confidence"),
      setting("video-codec", o.video_codec,
              "encoder of annotated videos, of those that FFmpeg has"),
      setting("seed", o.seed, "another palette").range(0, 1e9),
  };
}

std::vector<Setting> how_it_looks(DetectOptions& o) {
  return {
      setting("augment", o.augment, "test-time augmentation: three passes over each picture"),
      setting("tta-clip-tails", o.tta_clip_tails,
              "augment: without the coarsest rows of the first pass and the finest of the last"),
      setting("tile", o.tile,
              "look also at square parts of this many pixels, for small objects in large pictures; "
              "0 = none")
          .range(0, 65535),
      setting("tile-overlap", o.tile_overlap, "of neighbouring parts").range(0, 0.9),
      setting("track", o.track,
              "number objects over the frames of a video or stream, or over the pictures of a "
              "folder (ByteTrack)"),
      setting("track-high", o.track_high,
              "score above which a detection begins a track; 0 = --conf-thres")
          .range(0, 1),
      setting("track-low", o.track_low, "score above which a detection may go on with a track")
          .range(0, 1),
      setting("track-iou", o.track_iou, "least overlap of a track's expected box and a detection")
          .range(0, 1),
      setting("track-buffer", o.track_buffer,
              "frames for which an object out of sight is remembered")
          .range(0, 1e6),
      setting("vid-stride", o.vid_stride, "every n-th frame of a video").range(1, 1e6),
  };
}

std::vector<Setting> how_it_runs(DetectOptions& o) {
  return {
      setting("precision", o.precision,
              "of the network; auto = the fastest that finds the same boxes as float32 in the "
              "first pictures")
          .choices({"float32", "bfloat16", "auto"}),
      setting("backend", o.backend, "openvino, or libtorch as the reference")
          .choices({"openvino", "libtorch"}),
      setting("threads", o.threads, "of the network; 0 = the cores this process may use")
          .range(0, 4096),
      setting(
          "performance", o.performance,
          "latency: one picture on all threads; throughput: several at once; auto = by the source")
          .choices({"auto", "latency", "throughput"}),
      setting("nstreams", o.nstreams, "throughput: pictures at once; 0 = the threads, at most 16")
          .range(0, 256),
      setting("batch-size", o.batch_size, "pictures in one call of the network").range(1, 1024),
      setting("model-cache", o.model_cache,
              "folder for compiled networks, 'auto' = the user's cache folder, 'none'"),
      setting("max-frames", o.max_frames, "of each video or stream; 0 = no limit").range(0, 1e9),
      setting("max-seconds", o.max_seconds, "of the whole run; 0 = no limit").range(0, 1e9),
      setting("max-megapixels", o.max_megapixels, "larger pictures are refused").range(0.01, 1e5),
      setting("max-megabytes", o.max_megabytes, "larger picture files are refused")
          .range(0.001, 1e6),
      setting("stream-timeout", o.stream_timeout,
              "seconds without data after which a video or stream counts as broken")
          .range(0.1, 1e5),
      setting("stream-retries", o.stream_retries,
              "failures in a row after which a stream is given up; -1 = never")
          .range(-1, 1e6),
  };
}

std::vector<Setting> refused(DetectOptions& o) {
  return {
      setting("update", o.refused_switch, "refresh and strip the released weights")
          .refused("nothing is ever downloaded or rewritten by detect"),
      setting("half", o.refused_switch, "half precision").refused("use --precision bfloat16"),
      setting("nms-time-limit", o.refused_number, "seconds for the suppression")
          .refused("there is no limit; no result is dropped"),
  };
}

}  // namespace

Settings settings(DetectOptions& o) {
  Settings table{
      "detect",
      {
          setting("weights", o.weights, "checkpoint; several make an ensemble"),
          setting("source", o.source,
                  "picture, video, folder (not recursive), pattern with *, ? and **, camera "
                  "number, address (rtsp, http, ...), .txt list of these, or - for standard input"),
          setting(
              "img-size", o.img_size,
              "long side of the network input in pixels, rounded up to a multiple of the stride")
              .range(1, 65535),
          setting("conf-thres", o.conf_thres, "confidence threshold").range(0, 1),
          setting("iou-thres", o.iou_thres, "IoU threshold of the suppression").range(0, 1),
          setting("device", o.device, "empty or cpu"),
          setting("classes", o.classes, "keep only these class numbers").range(0, 1e6),
          setting("agnostic-nms", o.agnostic_nms, "suppress across classes"),
          setting("multi-label", o.multi_label, "several classes for one box"),
          setting("max-det", o.max_det, "most objects per picture").range(1, 1e6),
          setting("max-nms", o.max_nms, "most boxes that enter the suppression").range(1, 1e8),
          setting("project", o.project, "parent of the run folder"),
          setting("name", o.name, "name of the run folder"),
          setting("exist-ok", o.exist_ok,
                  "use the folder again; earlier results are replaced, sources never"),
          setting("no-trace", o.no_trace, "do not trace the model")
              .ignored("nothing is ever traced"),
      }};
  for (auto part :
       {what_is_saved(o), how_it_looks(o), how_it_runs(o), o.nms.settings(), refused(o)})
    for (Setting& one : part) table.entries.push_back(std::move(one));
  return table;
}

bool several_at_once(const DetectOptions& o, const runtime::SourceList& list) {
  if (o.backend != "openvino" || o.performance == "latency") return false;
  if (o.performance == "throughput") return true;
  constexpr std::size_t few = 8;
  return list.streams.empty() && (!list.videos.empty() || list.pictures.size() > few);
}

void check(const DetectOptions& o) {
  if (o.save_conf && !o.save_txt) log::warning("--save-conf has no effect without --save-txt");
  if (o.tta_clip_tails && !o.augment)
    log::warning("--tta-clip-tails has no effect without --augment");
  o.nms.check("detect");
}

}  // namespace yolov7::cli
