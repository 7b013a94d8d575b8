#pragma once
#include <memory>
#include <utility>

#include "runtime/frames/frames.hpp"
#include "runtime/frames/video.hpp"

namespace yolov7::cli {

/// Frames until the user closes the window.
class UntilClosed final : public runtime::FrameSource {
 public:
  UntilClosed(std::unique_ptr<runtime::FrameSource> source, const runtime::VideoWindow& window)
      : source_(std::move(source)), window_(window) {}
  bool next(runtime::Frame& frame) override { return !window_.closed() && source_->next(frame); }
  void load(runtime::Frame& frame) override { source_->load(frame); }
  std::size_t total() const override { return source_->total(); }

 private:
  std::unique_ptr<runtime::FrameSource> source_;
  const runtime::VideoWindow& window_;
};

}  // namespace yolov7::cli
