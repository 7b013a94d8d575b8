#pragma once
// What detect says about a frame and about a stream: pieces of console lines, and JSON.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/frames/live_frames.hpp"

namespace yolov7::cli {

/// "1 object", "2 objects".
std::string counted(std::size_t n, const std::string& name);
/// "3 × RBC, 1 × WBC, ": classes ascending.
std::string counts_text(const std::vector<Detection>& detections,
                        const std::vector<std::string>& names);
/// "image 1/4 a.jpg: ", "video 1/2 (7/250) b.mp4: ", "0: ".
std::string prefix_of(const runtime::Frame& frame);
nlohmann::json to_json(const runtime::DetectResult& result, const runtime::Frame& frame,
                       const std::vector<std::string>& names);

/// Rows of the prediction that are not finite: in words, and for --json.
std::string not_finite_text(const runtime::DetectResult& result);
nlohmann::json not_finite_json(const runtime::DetectResult& result, const runtime::Frame& frame);

/// What adds up over the frames of a run.
struct DetectCounts {
  std::size_t frames = 0, objects = 0;
  /// Frames: cut short, with further images, and such that not every box was looked at.
  std::size_t truncated = 0, with_further = 0, at_max_det = 0, beyond_max_nms = 0;
  runtime::DetectTiming timing;

  void add(const runtime::DetectResult& result, const runtime::Frame& frame);
  /// Lines about what was not looked at. `frame`: what one is called.
  std::vector<std::string> warnings(const NmsOptions& nms, const std::string& frame) const;
};

/// "detect: name=value, …" of all settings, without credentials of the source.
std::string options_line(const Settings& table, const std::string& source);

std::string stream_line(const runtime::StreamCounters& one);
nlohmann::json to_json(const std::vector<runtime::StreamCounters>& streams);

}  // namespace yolov7::cli
