#pragma once
// The options of detect, and what of them other parts look at.
#include <string>
#include <vector>

#include "cli/verbs/nms_choice.hpp"
#include "core/settings.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/frames/live_frames.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/tracker.hpp"

namespace yolov7::cli {

struct DetectOptions {
  std::vector<std::string> weights{"yolov7.pt"};
  std::string source = "inference/images";
  int img_size = 640;
  double conf_thres = 0.25, iou_thres = 0.45;
  std::string device;
  bool save_txt = false, save_conf = false, save_crop = false, save_json = false, save_csv = false,
       nosave = false, view_img = false;
  bool agnostic_nms = false, multi_label = false, augment = false, tta_clip_tails = false,
       exist_ok = false, no_trace = false;
  bool hide_labels = false, hide_conf = false;
  std::vector<int> classes;
  std::string project = "runs/detect", name = "exp", precision = "float32", backend = "openvino",
              performance = "auto", model_cache = "auto", video_codec = "mpeg4";
  int max_det = 300, max_nms = 30000, line_thickness = 0, threads = 0, nstreams = 0, batch_size = 1,
      seed = 0;
  int tile = 0;
  double tile_overlap = 0.2;
  NmsChoice nms;
  bool track = false;
  double track_high = 0, track_low = 0.1, track_iou = 0.2;
  int track_buffer = 30;
  int vid_stride = 1, max_frames = 0, stream_retries = -1;
  double max_seconds = 0, stream_timeout = 10, max_megapixels = 179, max_megabytes = 512;
  bool refused_switch = false;  ///< target of the options that are refused
  double refused_number = 0;

  NmsOptions nms_options()
      const;  ///< the confidence threshold is lowered to what tracking looks at
  runtime::TrackOptions track_options() const;
  runtime::FrameLimits limits() const;
  runtime::LiveOptions live() const;
};

/// Whether the network takes several images at once. A few images are done soonest one by one, and
/// a stream's frame should be answered at once; everything else is a matter of rate.
bool several_at_once(const DetectOptions& o, const runtime::SourceList& list);
Settings settings(DetectOptions& options);
/// Error (usage): options that exclude each other. Warnings: options without effect.
void check(const DetectOptions& options);

}  // namespace yolov7::cli
