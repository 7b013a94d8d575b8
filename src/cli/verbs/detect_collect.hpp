#pragma once
// detect --collect: doubtful frames of a run go to a folder (active/collector.hpp).
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "active/collector.hpp"
#include "cli/verbs/detect_options.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/frames.hpp"

namespace yolov7::cli {

class FrameCollector {
 public:
  /// Errors: those of Collector; a folder that lies in one that is read.
  FrameCollector(const DetectOptions& options, const runtime::SourceList& list,
                 const std::vector<std::string>& names, const std::string& model);
  /// Before anything is drawn.
  void offer(const runtime::Frame& frame, const std::vector<Detection>& detections);
  void finish() const { collector_.finish(); }
  std::string line() const;
  nlohmann::json report() const;

 private:
  std::string folder_;
  active::Collector collector_;
};

}  // namespace yolov7::cli
