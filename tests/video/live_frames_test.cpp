// Streams over HTTP from a server of the test's own.
#include "runtime/frames/live_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "tests/sanitized.hpp"
#include "tests/video/mjpeg_server.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using namespace yolov7::testing;

namespace {

using Clock = std::chrono::steady_clock;

SourceVideo stream(const std::string& address) {
  return {address, VideoOrigin::address, "stream.mp4"};
}

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Serves, stalls, refuses, and serves again, over and over; half of the time it serves.
MjpegServer::Mood mood_at(double seconds, double cycle) {
  const double at = std::fmod(seconds, cycle) / cycle;
  return at < 0.25  ? MjpegServer::Mood::serves
         : at < 0.5 ? MjpegServer::Mood::stalls
         : at < 0.7 ? MjpegServer::Mood::refuses
                    : MjpegServer::Mood::serves;
}

}  // namespace

TEST(LiveFrames, StallsDropsAndReturns) {
  test::ScratchFolder scratch;
  MjpegServer server(scratch / ".");
  const char* given = std::getenv("YOLOV7_STREAM_SECONDS");
  const double run = given != nullptr ? std::atof(given) : 20;
  const double cycle =
      (run - 2) /
      std::max(1.0, std::round((run - 2) / 18));  // so that the last two seconds are served
  FrameLimits limits;
  limits.video.open_seconds = limits.video.read_seconds = 1.5;
  LiveOptions options;
  options.first_pause = 0.25;
  options.longest_pause = 0.5;
  const auto source =
      live_frames({stream(server.address())}, limits, options, *yolov7_video_library());
  const auto start = Clock::now();
  std::thread moods([&] {
    while (since(start) < run + 1)
      server.set(mood_at(since(start), cycle)),
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  std::uint64_t memory_early = 0, frames = 0, in_last_second = 0;
  int latest_delay = 0, worst_delay = 0;
  Frame frame;
  // The consumer is three times slower than the stream.
  while (since(start) < run && source->next(frame)) {
    const unsigned sent = number_of(frame.bgr);
    const int delay =
        static_cast<int>((server.now() - sent) % 64);  // in frames, modulo what the number can tell
    latest_delay = delay;
    worst_delay = std::max(worst_delay, delay);
    ++frames;
    if (since(start) > run - 1) ++in_last_second;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (memory_early == 0 && since(start) > 4) memory_early = resident_bytes();
  }
  const std::uint64_t memory_late = resident_bytes();
  moods.join();
  const StreamCounters counters = source->counters().at(0);
  // A third of a second of lateness is the network's and the decoder's; without the latest-frame
  // policy it would grow by two seconds in three. A machine that others use as well gets a second.
  EXPECT_LE(worst_delay, 30) << "frames; last " << latest_delay;
  EXPECT_EQ(counters.delivered, frames);
  EXPECT_GE(counters.received, counters.delivered + counters.dropped);
  EXPECT_LE(counters.received, counters.delivered + counters.dropped + 1) << "one may wait";
  EXPECT_GT(counters.dropped, frames) << "two of three";
  EXPECT_GE(counters.failures, 2u);
  EXPECT_GE(counters.connections, 2u);
  EXPECT_EQ(counters.damaged, 0u);
  EXPECT_GT(in_last_second, 3u) << "it is back";
  if (!test::address_sanitizer) {
    EXPECT_LT(memory_late, memory_early + (16u << 20)) << "flat memory";
  }
  std::printf(
      "%llu received, %llu delivered, %llu dropped, %llu connections, %llu failures, worst delay "
      "%d frames, memory %.1f to %.1f MiB\n",
      static_cast<unsigned long long>(counters.received),
      static_cast<unsigned long long>(counters.delivered),
      static_cast<unsigned long long>(counters.dropped),
      static_cast<unsigned long long>(counters.connections),
      static_cast<unsigned long long>(counters.failures), worst_delay,
      static_cast<double>(memory_early) / 1048576, static_cast<double>(memory_late) / 1048576);
}

TEST(LiveFrames, SeveralStreamsTakeTurns) {
  test::ScratchFolder scratch;
  MjpegServer server(scratch / ".");
  FrameLimits limits;
  limits.frames = 5;
  const auto source = live_frames(
      {stream(server.address("a")), stream(server.address("b")), stream("http://127.0.0.1:1/none")},
      limits, {0.1, 0.1, 2}, *yolov7_video_library());
  std::vector<std::size_t> seen(3, 0);
  Frame frame;
  while (source->next(frame)) {
    EXPECT_EQ(frame.number, seen[frame.origin->number]++);
    EXPECT_EQ(frame.origin->of, 3u);
  }
  EXPECT_EQ(seen, (std::vector<std::size_t>{5, 5, 0}))
      << "the third cannot be opened, which is told and does not stop the others";
  const auto counters = source->counters();
  EXPECT_EQ(counters[2].connections, 0u);
  EXPECT_EQ(counters[2].failures, 3u);
  EXPECT_NE(counters[2].last_failure.find("refused"), std::string::npos)
      << counters[2].last_failure;
}

TEST(LiveFrames, NoStreamAtAllIsAnError) {
  const auto source =
      live_frames({stream("http://user:secret@127.0.0.1:1/a"), stream("http://127.0.0.1:1/b")}, {},
                  {0.1, 0.1, -1}, *yolov7_video_library());
  Frame frame;
  try {
    source->next(frame);
    FAIL() << "no error";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("http://127.0.0.1:1/a: "), std::string::npos) << text;
    EXPECT_NE(text.find("http://127.0.0.1:1/b: "), std::string::npos) << text;
    EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  }
}

TEST(LiveFrames, EndsAtOnceWhileAStreamIsSilent) {
  test::ScratchFolder scratch;
  MjpegServer server(scratch / ".");
  server.set(MjpegServer::Mood::stalls);
  const auto start = Clock::now();
  {
    FrameLimits limits;
    limits.seconds = 0.5;
    const auto source =
        live_frames({stream(server.address())}, limits, {}, *yolov7_video_library());
    Frame frame;
    EXPECT_FALSE(source->next(frame));
  }
  EXPECT_LT(since(start), 3) << "not the ten seconds of a broken stream";
}
