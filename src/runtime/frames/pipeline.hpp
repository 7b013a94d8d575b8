#pragma once
// Frames through a detector with everything overlapping: each worker reads, looks and draws its own
// frames, and what must keep the order (tracks, lines, videos) happens in turn.
#include <functional>
#include <memory>
#include <span>

#include "runtime/detect.hpp"
#include "runtime/frames/frames.hpp"

namespace yolov7::runtime {

/// What is done with each frame after the network; a frame with Frame::error has an empty result.
/// Any of them may be empty.
struct PipelineStages {
  std::function<void(Frame&, DetectResult&)>
      in_order;  ///< in the order of the frames, one at a time
  std::function<void(Frame&, DetectResult&)>
      drawn;  ///< then on any worker, at the same time as others
  std::function<void(Frame&, DetectResult&)> delivered;  ///< then in order again
};

/// Runs until the source ends. One worker for each detector; they must be able to work at the same
/// time (Detector::sibling). `batch`: frames that a worker takes at once. Memory: workers × batch
/// frames. An exception of any stage, stopped_error() among them, ends the run and is thrown here,
/// after the frames before it have gone through all stages.
void run_pipeline(FrameSource& source, std::span<const std::unique_ptr<Detector>> detectors,
                  const LookOptions& options, int batch, const PipelineStages& stages);

}  // namespace yolov7::runtime
