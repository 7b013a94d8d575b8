#pragma once
// The options of detect, and what of them other parts look at.
#include <string>
#include <vector>

#include "active/collector.hpp"
#include "api/model.hpp"
#include "core/settings.hpp"
#include "image/codec/truncated.hpp"
#include "image/drawing/draw.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/frames/live_frames.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/tracker.hpp"

namespace yolov7::cli {

struct DetectOptions {
  DetectOptions() { model.weights = {"yolov7.pt"}; }

  api::ModelOptions model;
  runtime::LookOptions look;
  runtime::TrackOptions tracking{.high = 0};  ///< as the options are; see track_options()
  runtime::LiveOptions live;
  DrawOptions draw;
  TruncatedRule truncated;
  std::string source = "inference/images", device;
  bool save_txt = false, save_conf = false, save_crop = false, save_json = false, save_csv = false,
       nosave = false, view_img = false, exist_ok = false, track = false, no_trace = false;
  std::string project = "runs/detect", name = "exp", performance = "auto", model_cache = "auto",
              video_codec = "mpeg4";
  std::string collect;  ///< folder for doubtful frames, or empty
  active::CollectOptions collecting;
  int nstreams = 0, batch_size = 1, vid_stride = 1, max_frames = 0, seed = 0;
  double max_seconds = 0, stream_timeout = 10, max_megapixels = 179, max_megabytes = 512;
  bool refused_switch = false;  ///< target of the options that are refused
  double refused_number = 0;

  bool writes_results() const { return save_txt || save_crop || save_json || save_csv || !nosave; }
  NmsOptions nms_options()
      const;  ///< the confidence threshold is lowered to what tracking looks at
  runtime::TrackOptions track_options() const;  ///< high above low, and the threshold for 0
  runtime::FrameLimits limits() const;
};

/// Whether the network takes several images at once. A few images are done soonest one by one, and
/// a stream's frame should be answered at once; everything else is a matter of rate.
bool several_at_once(const DetectOptions& o, const runtime::SourceList& list);
Settings settings(DetectOptions& options);
/// Error (usage): --collect where no detection can be doubtful.
void require_doubt(const DetectOptions& options);
/// Error (usage): options that exclude each other. Warnings: options without effect.
void check(const DetectOptions& options);
/// Warnings: options of the command line that belong to a way of working that is not asked for.
void warn_of_unused(const DetectOptions& options, const std::vector<std::string>& given);

}  // namespace yolov7::cli
