#include "runtime/frames/frames.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/error.hpp"
#include "runtime/frames/live_frames.hpp"
#include "tests/stopping.hpp"

using namespace yolov7;
using namespace yolov7::runtime;

namespace {

/// A video without end, or one that has nothing until it is cancelled.
class EndlessReader final : public VideoReader {
 public:
  EndlessReader(std::stop_token stop, bool silent) : stop_(std::move(stop)), silent_(silent) {}
  int width() const override { return 8; }
  int height() const override { return 8; }
  double rate() const override { return 25; }
  std::size_t frames() const override { return 0; }
  std::string description() const override { return "endless"; }
  bool read(cv::Mat& bgr, double& seconds) override {
    if (silent_) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait(lock, stop_, [] { return false; });
    }
    if (stop_.stop_requested()) throw Error("endless: cancelled");
    bgr = cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(0));
    seconds = static_cast<double>(number_++) / 25;
    return true;
  }
  std::size_t damaged() const override { return 0; }
  std::string shortfall() const override { return ""; }

 private:
  std::stop_token stop_;
  bool silent_;
  std::size_t number_ = 0;
};

template <bool silent>
std::unique_ptr<VideoReader> open_endless(const std::string&, VideoOrigin, const VideoLimits&,
                                          const std::stop_token& stop) {
  return std::make_unique<EndlessReader>(stop, silent);
}

VideoLibrary library(bool silent) {
  return {silent ? &open_endless<true> : &open_endless<false>, nullptr, nullptr, {}};
}

}  // namespace

TEST(PictureFrames, EndBetweenTwoPicturesWhereTheyAreStopped) {
  std::stop_source stop;
  FrameLimits limits;
  limits.stop = stop.get_token();
  const auto frames =
      picture_frames({{"a.png", "a.png"}, {"b.png", "b.png"}, {"c.png", "c.png"}}, limits);
  Frame frame;
  EXPECT_TRUE(frames->next(frame));
  EXPECT_TRUE(frames->next(frame));
  EXPECT_EQ(frame.origin->number, 2u);
  stop.request_stop();
  EXPECT_TRUE(test::is_stopped([&] { frames->next(frame); }));
}

TEST(VideoFrames, EndWhereTheyAreStopped) {
  std::stop_source stop;
  FrameLimits limits;
  limits.stop = stop.get_token();
  const VideoLibrary videos = library(false);
  const auto frames = video_frames({{"a.mp4", VideoOrigin::file, "a.mp4"}}, limits, videos);
  Frame frame;
  EXPECT_TRUE(frames->next(frame));
  stop.request_stop();
  EXPECT_TRUE(test::is_stopped([&] { frames->next(frame); }));
}

/// The reader's own error is not told as a broken video.
TEST(VideoFrames, AStopWhileAReaderWaitsIsAStop) {
  std::stop_source stop;
  FrameLimits limits;
  limits.stop = stop.get_token();
  const VideoLibrary videos = library(true);
  const auto frames = video_frames({{"a.mp4", VideoOrigin::file, "a.mp4"}}, limits, videos);
  std::jthread later([&] { stop.request_stop(); });
  Frame frame;
  EXPECT_TRUE(test::is_stopped([&] { frames->next(frame); }));
}

TEST(LiveFrames, EndWhereTheyAreStoppedAlthoughNothingComes) {
  std::stop_source stop;
  FrameLimits limits;
  limits.stop = stop.get_token();
  const VideoLibrary videos = library(true);
  const auto frames =
      live_frames({{"rtsp://a", VideoOrigin::address, "a"}}, limits, LiveOptions{}, videos);
  std::jthread later([&] { stop.request_stop(); });
  Frame frame;
  EXPECT_TRUE(test::is_stopped([&] { frames->next(frame); }));
}  // and its thread ends with it

TEST(LiveFrames, GoOnUntilTheyAreStopped) {
  std::stop_source stop;
  FrameLimits limits;
  limits.stop = stop.get_token();
  const VideoLibrary videos = library(false);
  const auto frames =
      live_frames({{"rtsp://a", VideoOrigin::address, "a"}}, limits, LiveOptions{}, videos);
  Frame frame;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(frames->next(frame));
  stop.request_stop();
  EXPECT_TRUE(test::is_stopped([&] { frames->next(frame); }));
}

TEST(LiveFrames, CamerasBehindOneAddressHaveNamesOfTheirOwn) {
  const VideoLibrary videos = library(true);
  const auto address = [](const char* source) {
    return SourceVideo{source, VideoOrigin::address, "x.mp4"};
  };
  const auto frames = live_frames({address("rtsp://u:p@a/live?camera=1"), address("rtsp://a/other"),
                                   address("rtsp://a/live?camera=2")},
                                  FrameLimits{}, LiveOptions{}, videos);
  const std::vector<StreamCounters> counters = frames->counters();
  ASSERT_EQ(counters.size(), 3u);
  EXPECT_EQ(counters[0].name, "rtsp://a/live?...");
  EXPECT_EQ(counters[1].name, "rtsp://a/other");
  EXPECT_EQ(counters[2].name, "rtsp://a/live?... (2)");
}
