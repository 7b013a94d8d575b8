#include "runtime/frames/pipeline.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/detect_all.hpp"

namespace yolov7::runtime {
namespace {

/// Lets groups through in the order of their numbers. After close(n), nobody with number n or above
/// gets through.
class Turnstile {
 public:
  bool enter(std::size_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == number || number >= end_; });
    return number < end_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    ++next_;
    changed_.notify_all();
  }
  void close(std::size_t number) {
    const std::lock_guard lock(mutex_);
    end_ = std::min(end_, number);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0, end_ = static_cast<std::size_t>(-1);
};

class Pipeline {
 public:
  Pipeline(FrameSource& source, const LookOptions& options, int batch, const PipelineStages& stages)
      : source_(source),
        options_(options),
        batch_(static_cast<std::size_t>(std::max(batch, 1))),
        stages_(stages) {}

  void work(Detector& detector) {
    DetectBuffers buffers;
    std::size_t number = 0;
    for (std::vector<Frame> frames; take(frames, number);) {
      try {
        if (!look(detector, frames, buffers, number)) return;
      } catch (...) {
        fail(number);
        return;
      }
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  /// The next frames and their number in line; false at the end, or after a failure.
  bool take(std::vector<Frame>& frames, std::size_t& number) {
    const std::lock_guard lock(source_mutex_);
    frames.clear();
    if (ended_) return false;
    number = taken_;
    try {
      Frame frame;
      while (frames.size() < batch_ && source_.next(frame)) frames.push_back(std::move(frame));
    } catch (...) {
      fail(number + (frames.empty() ? 0 : 1));  // those that have come go through
    }
    if (frames.size() < batch_) ended_ = true;
    if (frames.empty()) return false;
    ++taken_;
    return true;
  }

  bool look(Detector& detector, std::vector<Frame>& frames, DetectBuffers& buffers,
            std::size_t number) {
    std::vector<cv::Mat> pictures;
    for (Frame& frame : frames) {
      source_.load(frame);
      if (frame.error.empty()) pictures.push_back(frame.bgr);
    }
    std::vector<DetectResult> found = detect_all(detector, pictures, options_, buffers),
                              results(frames.size());
    for (std::size_t i = 0, next = 0; i < frames.size(); ++i)
      if (frames[i].error.empty()) results[i] = std::move(found[next++]);
    pictures.clear();  // the frames alone own the pixels now
    if (!in_turn(first_, number, stages_.in_order, frames, results)) return false;
    for (std::size_t i = 0; stages_.drawn && i < frames.size(); ++i)
      stages_.drawn(frames[i], results[i]);
    return in_turn(second_, number, stages_.delivered, frames, results);
  }

  bool in_turn(Turnstile& turnstile, std::size_t number,
               const std::function<void(Frame&, DetectResult&)>& stage, std::vector<Frame>& frames,
               std::vector<DetectResult>& results) {
    if (!turnstile.enter(number)) return false;
    for (std::size_t i = 0; stage && i < frames.size(); ++i) stage(frames[i], results[i]);
    turnstile.leave();
    return true;
  }

  /// The failure with the lowest number is the one that is told; what stands before it goes on to
  /// its end.
  void fail(std::size_t number) {
    const std::lock_guard lock(error_mutex_);
    if (error_ && number > failed_) return;
    error_ = std::current_exception();
    failed_ = number;
    first_.close(number);
    second_.close(number);
    ended_ = true;
  }

  FrameSource& source_;
  const LookOptions& options_;
  std::size_t batch_;
  const PipelineStages& stages_;
  Turnstile first_, second_;
  std::mutex source_mutex_, error_mutex_;
  std::atomic<bool> ended_ = false;
  std::size_t taken_ = 0, failed_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void run_pipeline(FrameSource& source, std::span<const std::unique_ptr<Detector>> detectors,
                  const LookOptions& options, int batch, const PipelineStages& stages) {
  Pipeline pipeline(source, options, batch, stages);
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < detectors.size(); ++i)
    others.emplace_back([&, i] { pipeline.work(*detectors[i]); });
  pipeline.work(*detectors[0]);
  for (std::thread& other : others) other.join();
  pipeline.rethrow();
}

}  // namespace yolov7::runtime
