#include "runtime/frames/live_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// What all streams of a run share. They share one lock, because they hand on only a few dozen
/// frames a second.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;  ///< a new frame, a failure, an end, or closing
  std::stop_source closing;
};

class Stream {
 public:
  Stream(SourceVideo source, std::string name, std::size_t number, std::size_t of,
         const FrameLimits& limits, const LiveOptions& options, const VideoLibrary& library,
         Shared& shared)
      : source_(std::move(source)),
        limits_(limits),
        options_(options),
        library_(library),
        shared_(shared) {
    counters_.name = std::move(name);
    origin_ = {FrameKind::stream, counters_.name, source_.relative, number, of, 0, 0};
    thread_ = std::thread([this] { run(); });
  }
  /// Ends all streams, also where a later one could not be made.
  ~Stream() {
    {
      const std::lock_guard lock(shared_.mutex);
      shared_.closing.request_stop();
      shared_.changed.notify_all();
    }
    thread_.join();
  }

  // Whoever calls one of the functions below holds shared_.mutex.
  bool tried() const { return tried_; }
  bool over() const { return over_ && !latest_; }
  const StreamCounters& counters() const { return counters_; }
  std::optional<Frame> take() {
    if (!latest_) return std::nullopt;
    Frame frame{opened_, counters_.delivered++, latest_->seconds, std::move(latest_->bgr), {}};
    latest_.reset();
    return frame;
  }

 private:
  struct Latest {
    cv::Mat bgr;
    double seconds;
  };

  void run() {
    double pause = options_.first_pause;
    for (int failures = 0; !closing();) {
      const std::uint64_t before = received();
      const std::string why = read_connection();
      if (closing() || limit_reached()) break;
      const bool gave_frames = received() > before;
      failures = gave_frames ? 1 : failures + 1;
      if (gave_frames) pause = options_.first_pause;
      const bool last = options_.retries >= 0 && failures > options_.retries;
      note_failure(why);
      log::warning(
          fmt::format("{}: {}; {}", counters_.name, why,
                      last ? "it is given up"
                           : fmt::format("it is opened again in {} s", text::general(pause))));
      if (last) break;
      wait(pause);
      pause = std::min(2 * pause, options_.longest_pause);
    }
    const std::lock_guard lock(shared_.mutex);
    over_ = tried_ = true;
    shared_.changed.notify_all();
  }

  /// Opens the stream and reads it until it ends, fails, or is to be closed. Returns the reason of
  /// an end or a failure, else "".
  std::string read_connection() {
    try {
      const auto reader =
          library_.open(source_.source, source_.origin, limits_.video, shared_.closing.get_token());
      note_opened(*reader);
      std::size_t damaged = 0;
      Latest frame;
      while (!closing() && !limit_reached()) {
        // Each frame gets a new matrix, because somebody may still use the one before.
        frame.bgr = cv::Mat();
        if (!reader->read(frame.bgr, frame.seconds)) return "the stream ended";
        publish(frame, reader->damaged() - damaged);
        damaged = reader->damaged();
      }
      return "";
    } catch (const std::exception& error) {
      const std::string begin = without_credentials(source_.source) + ": ";
      std::string_view why = error.what();
      if (why.starts_with(begin)) why.remove_prefix(begin.size());
      return std::string(why);
    }
  }

  void note_opened(const VideoReader& reader) {
    FrameOrigin origin = origin_;
    origin.rate = reader.rate();
    const std::lock_guard lock(shared_.mutex);
    if (!opened_) {
      opened_ = std::make_shared<const FrameOrigin>(origin);
      start_ = Clock::now();
    }
    ++counters_.connections;
    tried_ = true;
  }
  void publish(Latest& frame, std::size_t damaged) {
    const std::lock_guard lock(shared_.mutex);
    if (latest_) ++counters_.dropped;
    ++counters_.received;
    counters_.damaged += damaged;
    latest_ = Latest{frame.bgr, Seconds(Clock::now() - start_).count()};
    shared_.changed.notify_all();
  }
  void note_failure(const std::string& why) {
    const std::lock_guard lock(shared_.mutex);
    ++counters_.failures;
    counters_.last_failure = why;
    tried_ = true;
    shared_.changed.notify_all();
  }
  bool closing() const { return shared_.closing.stop_requested(); }
  std::uint64_t received() {
    const std::lock_guard lock(shared_.mutex);
    return counters_.received;
  }
  /// FrameLimits::frames is reached, with the frame that nobody has taken yet.
  bool limit_reached() {
    const std::lock_guard lock(shared_.mutex);
    return limits_.frames > 0 && counters_.delivered + (latest_ ? 1 : 0) >= limits_.frames;
  }
  void wait(double seconds) {
    std::unique_lock lock(shared_.mutex);
    shared_.changed.wait_for(lock, Seconds(seconds), [&] { return closing(); });
  }

  SourceVideo source_;
  FrameLimits limits_;
  LiveOptions options_;
  const VideoLibrary& library_;
  Shared& shared_;
  FrameOrigin origin_;
  std::shared_ptr<const FrameOrigin> opened_;
  StreamCounters counters_;
  std::optional<Latest> latest_;
  Clock::time_point start_;
  bool tried_ = false;  ///< the first attempt to open has ended, well or not
  bool over_ = false;   ///< the thread reads no more
  std::thread thread_;
};

class AllStreams final : public LiveFrames {
 public:
  AllStreams(std::vector<SourceVideo> streams, const FrameLimits& limits,
             const LiveOptions& options, const VideoLibrary& library)
      : limits_(limits), start_(Clock::now()) {
    const std::vector<std::string> names = shown_names(streams);
    for (std::size_t i = 0; i < streams.size(); ++i)
      streams_.push_back(std::make_unique<Stream>(streams[i], names[i], i, streams.size(), limits,
                                                  options, library, shared_));
  }

  bool next(Frame& frame) override {
    std::unique_lock lock(shared_.mutex);
    for (;;) {
      check_stop(limits_.stop);
      if (limits_.seconds > 0 && Seconds(Clock::now() - start_).count() >= limits_.seconds)
        return false;
      if (!checked_ && std::all_of(streams_.begin(), streams_.end(),
                                   [](const auto& one) { return one->tried(); }))
        check_opened();
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        const std::size_t at = (turn_ + i) % streams_.size();
        if (auto taken = streams_[at]->take()) {
          turn_ = at + 1;
          frame = std::move(*taken);
          return true;
        }
      }
      if (std::all_of(streams_.begin(), streams_.end(),
                      [](const auto& one) { return one->over(); }))
        return false;
      shared_.changed.wait_for(lock, std::chrono::milliseconds(100));
    }
  }
  std::vector<StreamCounters> counters() const override {
    const std::lock_guard lock(shared_.mutex);
    std::vector<StreamCounters> all;
    for (const auto& one : streams_) all.push_back(one->counters());
    return all;
  }

 private:
  /// Throws if no stream could be opened. Called once, with the lock held.
  void check_opened() {
    checked_ = true;
    std::string reasons;
    for (const auto& one : streams_) {
      if (one->counters().connections > 0) return;
      reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", one->counters().name,
                             one->counters().last_failure);
    }
    throw Error(fmt::format("expected at least one stream that opens, found none: {}", reasons));
  }

  FrameLimits limits_;
  mutable Shared shared_;
  std::vector<std::unique_ptr<Stream>> streams_;
  Clock::time_point start_;
  std::size_t turn_ = 0;
  bool checked_ = false;
};

}  // namespace

std::unique_ptr<LiveFrames> live_frames(std::vector<SourceVideo> streams, const FrameLimits& limits,
                                        const LiveOptions& options, const VideoLibrary& library) {
  return std::make_unique<AllStreams>(std::move(streams), limits, options, library);
}

}  // namespace yolov7::runtime
