// Videos that are cut, next to whole ones of which an imprecise check would say so.
#include <fmt/format.h>
#include <gtest/gtest.h>
extern "C" {
#include <libavformat/avformat.h>
}

#include <functional>

#include "core/file.hpp"
#include "runtime/frames/frames.hpp"
#include "tests/video/video_fixture.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using namespace yolov7::testing;
namespace fs = std::filesystem;

namespace {

const VideoLibrary& library() { return *yolov7_video_library(); }

/// The packets of `from` in another container; `time`: of the i-th frame, in frames.
void remux(const fs::path& from, const fs::path& to, const char* flags = nullptr,
           const std::function<double(int)>& time = nullptr) {
  AVFormatContext *in = nullptr, *out = nullptr;
  ASSERT_EQ(avformat_open_input(&in, from.c_str(), nullptr, nullptr), 0);
  ASSERT_GE(avformat_find_stream_info(in, nullptr), 0);
  ASSERT_GE(avformat_alloc_output_context2(&out, nullptr, nullptr, to.c_str()), 0);
  AVStream* stream = avformat_new_stream(out, nullptr);
  avcodec_parameters_copy(stream->codecpar, in->streams[0]->codecpar);
  stream->codecpar->codec_tag = 0;
  stream->time_base = {1, 25};
  if (!time) stream->avg_frame_rate = {25, 1};
  AVDictionary* options = nullptr;
  if (flags != nullptr) av_dict_set(&options, "movflags", flags, 0);
  ASSERT_GE(avio_open(&out->pb, to.c_str(), AVIO_FLAG_WRITE), 0);
  ASSERT_GE(avformat_write_header(out, &options), 0);
  av_dict_free(&options);
  AVPacket* packet = av_packet_alloc();
  for (int i = 0; av_read_frame(in, packet) >= 0; ++i) {
    const double at = time ? time(i) : i, next = time ? time(i + 1) : i + 1;
    const AVRational fine{1, 25000};
    packet->pts = packet->dts = av_rescale_q(std::llround(at * 1000), fine, stream->time_base);
    packet->duration = av_rescale_q(std::llround((next - at) * 1000), fine, stream->time_base);
    packet->stream_index = 0;
    ASSERT_GE(av_interleaved_write_frame(out, packet), 0);
  }
  av_packet_free(&packet);
  av_write_trailer(out);
  avio_closep(&out->pb);
  avformat_free_context(out);
  avformat_close_input(&in);
}

struct Ending {
  std::size_t frames = 0;
  std::string shortfall;
};
Ending read_all(const fs::path& path) {
  const auto reader = library().open(path, VideoOrigin::file, {}, {});
  Ending ending;
  cv::Mat frame;
  for (double seconds = 0; reader->read(frame, seconds);) ++ending.frames;
  ending.shortfall = reader->shortfall();
  return ending;
}

class ContainerEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto writer = library().create(scratch_ / "a.mp4", {256, 64}, 25, "mpeg4");
    for (unsigned i = 0; i < 60; ++i) writer->write(numbered_frame(i * 977), i / 25.0);
    writer->finish();
    remux(scratch_ / "a.mp4", scratch_ / "a.avi");
    remux(scratch_ / "a.mp4", scratch_ / "a.mkv");
    {
      const auto other = library().create(scratch_ / "b.mp4", {256, 64}, 25, "mpeg2video");
      for (unsigned i = 0; i < 60; ++i) other->write(numbered_frame(i * 977), i / 25.0);
    }
    remux(scratch_ / "b.mp4", scratch_ / "a.ts");
    remux(scratch_ / "a.mp4", scratch_ / "front.mp4", "faststart");
    remux(scratch_ / "a.mp4", scratch_ / "parts.mp4", "frag_keyframe+empty_moov");
  }
  fs::path cut(const char* name, double share) {
    const std::string bytes = file::read(scratch_ / name);
    const fs::path path = scratch_ / (std::string("cut-") + name);
    file::write_atomically(
        path, std::string_view(bytes).substr(0, static_cast<std::size_t>(bytes.size() * share)));
    return path;
  }
  test::ScratchFolder scratch_;
};

}  // namespace

TEST_F(ContainerEnd, CutVideosSayHowManyFramesCame) {
  for (const char* name : {"a.avi", "front.mp4", "a.mkv"}) {
    const Ending ending = read_all(cut(name, 0.5));
    EXPECT_LT(ending.frames, 60u) << name;
    const std::string about = std::string(name) == "a.mkv" ? "about " : "";
    EXPECT_TRUE(ending.shortfall.starts_with(
        fmt::format("ended after {} of {}60 frames (", ending.frames, about)))
        << name << ": " << ending.shortfall;
    EXPECT_NE(ending.shortfall.find(" of 2.4 s): the file is cut"), std::string::npos)
        << ending.shortfall;
  }
  // What lies behind the cut part of a fragmented file stands nowhere.
  const Ending parts = read_all(cut("parts.mp4", 0.5));
  EXPECT_LT(parts.frames, 60u);
  EXPECT_TRUE(parts.shortfall.starts_with(fmt::format("ended after {} of ", parts.frames)))
      << parts.shortfall;
}

TEST_F(ContainerEnd, WholeVideosAreWhole) {
  for (const char* name : {"a.mp4", "a.avi", "a.mkv", "a.ts", "front.mp4", "parts.mp4"}) {
    const Ending ending = read_all(scratch_ / name);
    EXPECT_EQ(ending.frames, 60u) << name;
    EXPECT_EQ(ending.shortfall, "") << name;
  }
  EXPECT_EQ(read_all(cut("a.ts", 0.5)).shortfall, "") << "it promises nothing";
}

TEST_F(ContainerEnd, NoFalseAlarms) {
  // The last frame is shown for four seconds, and there are far fewer than the rate would give.
  for (const char* name : {"vfr.mkv", "vfr.mp4"}) {
    remux(scratch_ / "a.mp4", scratch_ / name, nullptr, [](int i) {
      return i < 30 ? i : i < 60 ? 30 + (i - 30) * 7.0 : 400;
    });
    EXPECT_EQ(read_all(scratch_ / name).shortfall, "") << name;
  }
  // Bytes behind the last box.
  std::string bytes = file::read(scratch_ / "a.mp4");
  file::write_atomically(scratch_ / "tail.mp4", bytes + std::string(100, 'x'));
  EXPECT_EQ(read_all(scratch_ / "tail.mp4").shortfall, "");
  // An edit list that shows the first second alone, as phones write for a trimmed clip.
  const std::size_t list = bytes.find("elst");
  ASSERT_NE(list, std::string::npos);
  for (int k = 0; k < 4; ++k)  // version and flags, count, then the duration in milliseconds
    bytes[list + 12 + static_cast<std::size_t>(k)] = static_cast<char>(1000u >> (24 - 8 * k));
  file::write_atomically(scratch_ / "trimmed.mp4", bytes);
  const Ending trimmed = read_all(scratch_ / "trimmed.mp4");
  EXPECT_LT(trimmed.frames, 60u);
  EXPECT_EQ(trimmed.shortfall, "");
}

TEST_F(ContainerEnd, TheEndOfACutVideoIsOneFrameWithAnError) {
  const SourceVideo video{cut("a.mkv", 0.5), VideoOrigin::file, "cut.mp4"};
  const auto errors = [&](const FrameLimits& limits) {
    const auto source = video_frames({video}, limits, library());
    std::vector<std::string> found;
    for (Frame frame; source->next(frame);)
      if (!frame.error.empty()) found.push_back(frame.error);
    return found;
  };
  FrameLimits limits;
  limits.stride = 4;
  ASSERT_EQ(errors(limits).size(), 1u);
  EXPECT_NE(errors(limits)[0].find("cut-a.mkv: ended after "), std::string::npos);
  limits.frames = 2;
  EXPECT_TRUE(errors(limits).empty()) << "the user did not want the rest";
}
