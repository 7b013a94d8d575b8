#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "core/error.hpp"
#include "core/file.hpp"
#include "runtime/frames/frames.hpp"
#include "tests/video/video_fixture.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using namespace yolov7::testing;
namespace fs = std::filesystem;

namespace {

const VideoLibrary& library() { return *yolov7_video_library(); }

void write_numbered(const fs::path& path, unsigned count, double rate, cv::Size size = {256, 64}) {
  const auto writer = library().create(path, size, rate, "mpeg4");
  for (unsigned i = 0; i < count; ++i) writer->write(numbered_frame(i * 7 + 1, size), i / rate);
  writer->finish();
}

std::string failure(const std::string& source, VideoOrigin origin = VideoOrigin::file,
                    const VideoLimits& limits = {}) {
  try {
    const auto reader = library().open(source, origin, limits, {});
    cv::Mat frame;
    double seconds = 0;
    while (reader->read(frame, seconds)) {
    }
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST(Video, WhatIsWrittenIsRead) {
  test::ScratchFolder scratch;
  write_numbered(scratch / "a.mp4", 50, 30000.0 / 1001);
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  EXPECT_EQ(reader->width(), 256);
  EXPECT_EQ(reader->height(), 64);
  EXPECT_EQ(reader->frames(), 50u);
  EXPECT_NEAR(reader->rate(), 29.97, 0.001);
  cv::Mat frame;
  double seconds = 0;
  for (unsigned i = 0; i < 50; ++i) {
    ASSERT_TRUE(reader->read(frame, seconds)) << i;
    EXPECT_EQ(number_of(frame), i * 7 + 1);
    EXPECT_NEAR(seconds, i * 1001.0 / 30000, 1e-3);
  }
  EXPECT_FALSE(reader->read(frame, seconds));
  EXPECT_EQ(reader->damaged(), 0u);
}

TEST(Video, FramesKeepTheirTimes) {
  test::ScratchFolder scratch;
  const std::vector<double> times{0, 0.033, 0.067, 1.5, 1.512, 2.7};
  {
    const auto writer = library().create(scratch / "a.mp4", {256, 64}, 30, "mpeg4");
    for (std::size_t i = 0; i < times.size(); ++i)
      writer->write(numbered_frame(static_cast<unsigned>(i)), times[i]);
  }
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  cv::Mat frame;
  double seconds = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    ASSERT_TRUE(reader->read(frame, seconds)) << i;
    EXPECT_EQ(number_of(frame), i);
    EXPECT_NEAR(seconds, times[i], 1.1e-3) << "Matroska's rounding is the most it may differ";
  }
  EXPECT_FALSE(reader->read(frame, seconds));
}

TEST(Video, ARegularVideoStaysOne) {
  test::ScratchFolder scratch;
  {
    const auto writer = library().create(scratch / "a.mp4", {256, 64}, 30000.0 / 1001, "mpeg4");
    for (unsigned i = 0; i < 40; ++i)  // rounded to milliseconds, and once without a time
      writer->write(numbered_frame(i), i == 7 ? 0 : std::round(i * 1001 / 30.0) / 1000);
  }
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  EXPECT_NEAR(reader->rate(), 30000.0 / 1001, 1e-6);
  cv::Mat frame;
  double seconds = 0;
  for (unsigned i = 0; i < 40; ++i) {
    ASSERT_TRUE(reader->read(frame, seconds));
    EXPECT_NEAR(seconds, i * 1001 / 30000.0, 1e-6);
  }
}

TEST(Video, ColoursComeBack) {
  test::ScratchFolder scratch;
  cv::Mat frame(120, 160, CV_8UC3);
  const cv::Scalar colours[] = {{200, 40, 40}, {40, 200, 40}, {40, 40, 200}, {128, 128, 128}};
  for (int i = 0; i < 4; ++i) frame(cv::Rect(i * 40, 0, 40, 120)).setTo(colours[i]);
  {
    const auto writer = library().create(scratch / "a.mp4", frame.size(), 25, "mpeg4");
    for (int i = 0; i < 3; ++i) writer->write(frame, i / 25.0);
  }  // destruction finishes it
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  cv::Mat back;
  double seconds = 0;
  ASSERT_TRUE(reader->read(back, seconds));
  for (int i = 0; i < 4; ++i) {
    const cv::Scalar mean = cv::mean(back(cv::Rect(i * 40 + 10, 20, 20, 80)));
    // Two conversions between BGR and 8-bit YUV, and a codec that loses: a few levels.
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(mean[c], colours[i][c], 6) << i << c;
  }
}

TEST(Video, OddSizesWork) {
  test::ScratchFolder scratch;
  const auto writer = library().create(scratch / "a.mp4", {77, 51}, 10, "mpeg4");
  writer->write(cv::Mat(51, 77, CV_8UC3, cv::Scalar(10, 20, 30)), 0);
  EXPECT_THROW(writer->write(cv::Mat(50, 77, CV_8UC3), 0), Error);
  EXPECT_FALSE(fs::exists(scratch / "a.mp4")) << "not before it is finished";
  writer->finish();
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  EXPECT_EQ(reader->width(), 77);
  EXPECT_EQ(reader->height(), 51);
}

TEST(Video, AnUprightPictureOfATurnedVideo) {
  test::ScratchFolder scratch;
  {
    const auto writer = library().create(scratch / "a.mp4", {160, 80}, 25, "mpeg4");
    cv::Mat frame(80, 160, CV_8UC3, cv::Scalar::all(0));
    frame(cv::Rect(0, 0, 40, 40)).setTo(cv::Scalar::all(255));  // upper left
    writer->write(frame, 0);
    writer->finish();
  }
  // The track's matrix (ISO 14496-12, tkhd version 0: 40 bytes behind the name), a quarter turn
  // clockwise: phones write it.
  std::string bytes = file::read(scratch / "a.mp4");
  const std::size_t at = bytes.find("tkhd") + 4 + 40;
  const std::uint32_t matrix[9] = {0, 0x10000, 0, 0xFFFF0000, 0, 0, 0, 0, 0x40000000};
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t k = 0; k < 4; ++k)
      bytes[at + 4 * i + k] = static_cast<char>(matrix[i] >> (24 - 8 * k));
  file::write_atomically(scratch / "a.mp4", bytes);
  const auto reader = library().open(scratch / "a.mp4", VideoOrigin::file, {}, {});
  EXPECT_EQ(reader->width(), 80);
  EXPECT_EQ(reader->height(), 160);
  cv::Mat frame;
  double seconds = 0;
  ASSERT_TRUE(reader->read(frame, seconds));
  EXPECT_GT(cv::mean(frame(cv::Rect(45, 5, 30, 30)))[0], 220) << "now upper right";
  EXPECT_LT(cv::mean(frame(cv::Rect(5, 5, 30, 30)))[0], 30);
}

TEST(Video, WhatIsWrongIsOneLine) {
  test::ScratchFolder scratch;
  EXPECT_NE(failure(scratch / "none.mp4")
                .find("none.mp4: expected a video that can be opened, found: No such file"),
            std::string::npos)
      << failure(scratch / "none.mp4");
  file::write_atomically(scratch / "text.mp4", "this is no video");
  EXPECT_NE(failure(scratch / "text.mp4").find("text.mp4: expected"), std::string::npos);
  write_numbered(scratch / "a.mp4", 30, 25);
  VideoLimits limits;
  limits.pixels = 256 * 64 - 1;
  EXPECT_NE(failure(scratch / "a.mp4", VideoOrigin::file, limits)
                .find("at most 16383 pixels, found 256 x 64"),
            std::string::npos);
  EXPECT_NE(failure("/dev/no camera", VideoOrigin::camera).find("/dev/no camera: expected"),
            std::string::npos);
  EXPECT_THROW(library().create(scratch / "b.mp4", {64, 64}, 25, "no such codec"), Error);
  EXPECT_THROW(library().create(scratch / "b.mp4", {64, 64}, 0, "mpeg4"), Error);
  EXPECT_FALSE(fs::exists(scratch / "b.mp4"));
}

TEST(Video, ATruncatedFileGivesWhatItHas) {
  test::ScratchFolder scratch;
  // In AVI and Matroska the index is not at the end; an mp4 without its end has none and is refused
  // at once.
  write_numbered(scratch / "a.mp4", 60, 25);
  const std::string bytes = file::read(scratch / "a.mp4");
  file::write_atomically(scratch / "cut.mp4", bytes.substr(0, bytes.size() / 2));
  EXPECT_NE(failure(scratch / "cut.mp4"), "");
  // Damage inside: the decoder goes on; nothing crashes, and packets that do not decode are
  // counted.
  std::string damaged = bytes;
  for (std::size_t i = bytes.size() / 3; i < bytes.size() / 3 + 200; ++i)
    damaged[i] = static_cast<char>(i * 37);
  file::write_atomically(scratch / "damaged.mp4", damaged);
  const auto reader = library().open(scratch / "damaged.mp4", VideoOrigin::file, {}, {});
  cv::Mat frame;
  double seconds = 0;
  std::size_t count = 0;
  while (reader->read(frame, seconds)) ++count;
  EXPECT_GT(count + reader->damaged(), 40u);
}

TEST(Video, APlaylistInAFileDoesNotReachTheNetwork) {
  test::ScratchFolder scratch;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const std::string playlist = fmt::format(
      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{}/a.ts\n#EXT-X-ENDLIST\n",
      ntohs(address.sin_port));
  for (const char* name : {"a.mp4", "a.m3u8"}) {
    file::write_atomically(scratch / name, playlist);
    EXPECT_NE(failure(scratch / name), "");
  }
  timeval no_wait{0, 100'000};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &no_wait, sizeof no_wait);
  EXPECT_LT(accept(listener, nullptr, nullptr), 0) << "somebody came";
  close(listener);
}

/// A server that takes a call and says nothing would be waited for a minute.
TEST(Video, AStopEndsAWaitingCall) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  VideoLimits limits;
  limits.open_seconds = limits.read_seconds = 60;
  std::stop_source stop;
  int caller = -1;
  std::jthread later([&] {
    caller = accept(listener, nullptr, nullptr);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  try {
    library().open(fmt::format("http://127.0.0.1:{}/a.ts", ntohs(address.sin_port)),
                   VideoOrigin::address, limits, stop.get_token());
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cancelled"), std::string::npos) << error.what();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  later.join();
  close(caller);
  close(listener);
}

TEST(VideoFrames, OneAfterTheOtherWithStrideAndLimit) {
  test::ScratchFolder scratch;
  write_numbered(scratch / "a.mp4", 10, 25);
  write_numbered(scratch / "b.mp4", 5, 10);
  file::write_atomically(scratch / "bad.mp4", "no video");
  const std::vector<SourceVideo> videos{{scratch / "a.mp4", VideoOrigin::file, "a.mp4"},
                                        {scratch / "bad.mp4", VideoOrigin::file, "bad.mp4"},
                                        {scratch / "b.mp4", VideoOrigin::file, "b.mp4"}};
  FrameLimits limits;
  limits.stride = 3;
  limits.frames = 3;
  const auto source = video_frames(videos, limits, library());
  std::vector<std::string> seen;
  Frame frame;
  while (source->next(frame)) {
    if (!frame.error.empty()) {
      EXPECT_NE(frame.error.find("bad.mp4"), std::string::npos);
      seen.push_back("bad");
      continue;
    }
    EXPECT_EQ(number_of(frame.bgr), (frame.number - 1) * 7 + 1);
    EXPECT_NEAR(frame.seconds, static_cast<double>(frame.number - 1) / frame.origin->rate, 1e-3);
    seen.push_back(frame.origin->relative.string() + std::to_string(frame.number));
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"a.mp41", "a.mp44", "a.mp47", "bad", "b.mp41", "b.mp44"}));
}
