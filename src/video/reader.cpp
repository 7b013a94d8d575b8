#include <fmt/format.h>
extern "C" {
#include <libavdevice/avdevice.h>
}

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "video/container_end.hpp"
#include "video/ffmpeg.hpp"

namespace yolov7::video {
namespace {

using Clock = std::chrono::steady_clock;
using runtime::VideoOrigin;

/// What a source may open besides itself: a playlist inside a file must not reach the network, one
/// from the network not our files.
const char* protocols(VideoOrigin origin) {
  switch (origin) {
    case VideoOrigin::file: return "file";
    case VideoOrigin::input: return "pipe";
    case VideoOrigin::camera: return "file";
    case VideoOrigin::address:
      return "http,https,tcp,tls,udp,rtp,srtp,rtsp,rtmp,rtmps,rtmpt,crypto,httpproxy";
  }
  return "";
}

class Reader final : public runtime::VideoReader {
 public:
  Reader(std::string source, VideoOrigin origin, const runtime::VideoLimits& limits,
         std::stop_token stop)
      : source_(std::move(source)), origin_(origin), limits_(limits), stop_(std::move(stop)) {
    if (origin == VideoOrigin::file) require_file();
    open(origin);
    open_decoder();
    first_frame();
  }

  int width() const override { return upright(frame_->width, frame_->height).width; }
  int height() const override { return upright(frame_->width, frame_->height).height; }
  double rate() const override {
    const AVRational rate =
        stream_->avg_frame_rate.num > 0 ? stream_->avg_frame_rate : stream_->r_frame_rate;
    const double value = rate.den > 0 ? av_q2d(rate) : 0;
    return std::isfinite(value) && value > 0 ? value : 0;
  }
  std::size_t frames() const override {
    if (stream_->nb_frames > 0) return static_cast<std::size_t>(stream_->nb_frames);
    if (format_->duration <= 0 || rate() <= 0) return 0;
    return static_cast<std::size_t>(
        std::llround(static_cast<double>(format_->duration) / AV_TIME_BASE * rate()));
  }
  std::string description() const override {
    return fmt::format("{}, {} x {}, {}", avcodec_get_name(decoder_->codec_id), width(), height(),
                       rate() > 0 ? text::general(rate(), 4) + " frames/s" : "rate unknown");
  }
  std::size_t damaged() const override { return damaged_; }
  std::string shortfall() const override;

  bool read(cv::Mat& bgr, double& seconds) override {
    if (!has_first_ && !next_frame()) return false;
    has_first_ = false;
    convert(bgr);
    seconds = time_of_frame();
    ++delivered_;
    return true;
  }

 private:
  static int interrupted(void* self) {
    const auto& reader = *static_cast<Reader*>(self);
    return reader.stopped() || Clock::now() > reader.deadline_ ? 1 : 0;
  }
  bool stopped() const { return stop_.stop_requested(); }
  void allow(double seconds) {
    deadline_ = Clock::now() +
                std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  void check_time(double seconds) const {
    if (stopped()) throw Error(fmt::format("{}: cancelled", shown(source_)));
    if (Clock::now() > deadline_)
      throw Error(fmt::format("{}: expected data within {} s, found none", shown(source_),
                              text::general(seconds)));
  }
  int checked_in_time(int code, double seconds, const char* what) {
    if (code < 0) check_time(seconds);
    return checked(code, source_, what);
  }

  /// A pipe that nobody writes to would wait for ever.
  void require_file() const {
    std::error_code error;
    const auto type = std::filesystem::status(source_, error).type();
    if (type != std::filesystem::file_type::not_found &&
        type != std::filesystem::file_type::regular)
      throw Error(fmt::format("{}: expected a video file, found {}", source_,
                              type == std::filesystem::file_type::fifo
                                  ? "a named pipe"
                                  : "a folder, socket or device"));
  }

  void open(VideoOrigin origin) {
    const AVInputFormat* format = nullptr;
    if (origin == VideoOrigin::camera) {
      avdevice_register_all();
      format = av_find_input_format("video4linux2");
      if (format == nullptr)
        throw Error("cameras: expected an FFmpeg with video4linux2, found none");
    }
    AVFormatContext* context = avformat_alloc_context();
    context->interrupt_callback = {&Reader::interrupted, this};
    AVDictionary* options = nullptr;
    av_dict_set(&options, "protocol_whitelist", protocols(origin), 0);
    if (origin == VideoOrigin::address) {
      av_dict_set(&options, "rtsp_transport", "tcp", 0);
      av_dict_set(&options, "analyzeduration", "1000000", 0);
    }
    allow(limits_.open_seconds);
    const std::string name = origin == VideoOrigin::input  ? "pipe:0"
                             : origin == VideoOrigin::file ? "file:" + source_
                                                           : source_;
    const int code = avformat_open_input(&context, name.c_str(), format, &options);
    av_dict_free(&options);
    checked_in_time(code, limits_.open_seconds,
                    "a video that can be opened");  // a failure has freed the context
    format_.reset(context);
    checked_in_time(avformat_find_stream_info(format_.get(), nullptr), limits_.open_seconds,
                    "a video with readable streams");
    const int best =
        checked(av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0), source_,
                "a video stream");
    stream_ = format_->streams[best];
  }

  void open_decoder() {
    const AVCodecParameters& facts = *stream_->codecpar;
    check_size(facts.width, facts.height);
    const AVCodec* codec = avcodec_find_decoder(facts.codec_id);
    if (codec == nullptr)
      throw Error(fmt::format("{}: expected a codec that this FFmpeg decodes, found {}",
                              shown(source_), avcodec_get_name(facts.codec_id)));
    decoder_.reset(avcodec_alloc_context3(codec));
    checked(avcodec_parameters_to_context(decoder_.get(), &facts), source_,
            "usable parameters of the codec");
    decoder_->max_pixels = static_cast<std::int64_t>(limits_.pixels);
    decoder_->pkt_timebase = stream_->time_base;
    decoder_->thread_count = 1;  // the network has the cores
    checked(avcodec_open2(decoder_.get(), codec, nullptr), source_, "a codec that opens");
    frame_.reset(av_frame_alloc());
    packet_.reset(av_packet_alloc());
    turns_ = quarter_turns();
  }

  void check_size(int width, int height) const {
    if (width > 0 && height > 0 &&
        static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) > limits_.pixels)
      throw Error(fmt::format("{}: expected frames of at most {} pixels, found {} x {}",
                              shown(source_), limits_.pixels, width, height));
  }

  /// Clockwise quarter turns that make the picture upright, from the container's display matrix.
  int quarter_turns() const {
    const auto* matrix = reinterpret_cast<const std::int32_t*>(
        av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
    if (matrix == nullptr) return 0;
    const double degrees = -av_display_rotation_get(matrix);
    return std::isfinite(degrees) ? ((static_cast<int>(std::lround(degrees / 90)) % 4) + 4) % 4 : 0;
  }
  cv::Size upright(int width, int height) const {
    return turns_ % 2 == 0 ? cv::Size(width, height) : cv::Size(height, width);
  }

  void first_frame() {
    has_first_ = next_frame();
    if (!has_first_)
      throw Error(fmt::format("{}: expected at least one frame, found none", shown(source_)));
  }

  /// Decodes into frame_. Packets that do not decode are counted and left out, as players do; false
  /// at the end.
  bool next_frame() {
    allow(limits_.read_seconds);
    for (;;) {
      const int received = avcodec_receive_frame(decoder_.get(), frame_.get());
      if (received == 0) {
        check_size(frame_->width, frame_->height);
        if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0)
          ++damaged_;  // shown all the same, as far as it goes
        return true;
      }
      if (received == AVERROR_EOF) return false;
      if (received != AVERROR(EAGAIN)) ++damaged_;
      feed();
    }
  }

  void feed() {
    while (!at_end_) {
      const int code = av_read_frame(format_.get(), packet_.get());
      check_time(limits_.read_seconds);
      if (code == AVERROR_EOF) break;
      if (code == AVERROR(EAGAIN)) continue;
      checked(code, source_, "more frames");
      const bool ours = packet_->stream_index == stream_->index;
      note_time(*packet_);
      const int sent = ours ? avcodec_send_packet(decoder_.get(), packet_.get()) : 0;
      av_packet_unref(packet_.get());
      if (!ours) continue;
      if (sent < 0)
        ++damaged_;
      else
        return;
    }
    at_end_ = true;
    avcodec_send_packet(decoder_.get(), nullptr);  // what the decoder still holds
  }

  void convert(cv::Mat& bgr) {
    const cv::Mat picture = converter_.bgr(*frame_, source_);
    if (turns_ == 0)
      bgr = picture;
    else
      cv::rotate(picture, bgr,
                 turns_ == 1   ? cv::ROTATE_90_CLOCKWISE
                 : turns_ == 2 ? cv::ROTATE_180
                               : cv::ROTATE_90_COUNTERCLOCKWISE);
  }

  /// How far the packets reach.
  void note_time(const AVPacket& packet) {
    const std::int64_t start = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
    if (start == AV_NOPTS_VALUE) return;
    const AVRational unit = format_->streams[packet.stream_index]->time_base;
    const double end =
        static_cast<double>(start + std::max<std::int64_t>(packet.duration, 0)) * av_q2d(unit);
    reached_by_any_ = std::max(reached_by_any_, end);
    if (packet.stream_index == stream_->index) reached_ = std::max(reached_, end);
  }

  double time_of_frame() {
    const std::int64_t stamp = frame_->best_effort_timestamp;
    if (stamp == AV_NOPTS_VALUE) return rate() > 0 ? static_cast<double>(delivered_) / rate() : 0;
    if (first_stamp_ == AV_NOPTS_VALUE) first_stamp_ = stamp;
    return static_cast<double>(stamp - first_stamp_) * av_q2d(stream_->time_base);
  }

  std::string source_;
  VideoOrigin origin_;
  runtime::VideoLimits limits_;
  std::stop_token stop_;
  Clock::time_point deadline_;
  Owned<AVFormatContext> format_;
  AVStream* stream_ = nullptr;
  Owned<AVCodecContext> decoder_;
  Owned<AVFrame> frame_;
  Owned<AVPacket> packet_;
  Converter converter_;
  std::int64_t first_stamp_ = AV_NOPTS_VALUE;
  double reached_ = 0, reached_by_any_ = 0;  // the end of the last packets, in seconds
  std::size_t damaged_ = 0, delivered_ = 0;
  int turns_ = 0;
  bool has_first_ = false, at_end_ = false;
};

/// Two signs are needed, since each alone is found in whole files. A header may count what an edit
/// list leaves out, or frames that a stopped recorder never wrote, and the last frame of a variable
/// rate may be shown for long, so a shortfall counts where the file is cut. Where the container
/// cannot say that, only one that is too large for any of these counts.
std::string Reader::shortfall() const {
  if (!at_end_ || origin_ == VideoOrigin::camera) return "";
  // Sound may be longer than the pictures, so where only the whole has a duration, everything
  // counts.
  const bool by_stream = stream_->duration != AV_NOPTS_VALUE;
  const auto seconds = [](std::int64_t value, AVRational unit) {
    return value == AV_NOPTS_VALUE ? 0 : static_cast<double>(value) * av_q2d(unit);
  };
  const AVRational unit = by_stream ? stream_->time_base : AVRational{1, AV_TIME_BASE};
  const double promised = format_->duration_estimation_method == AVFMT_DURATION_FROM_STREAM
                              ? seconds(by_stream ? stream_->duration : format_->duration, unit)
                              : 0;
  const double came = (by_stream ? reached_ : reached_by_any_) -
                      seconds(by_stream ? stream_->start_time : format_->start_time, unit);
  const double period = rate() > 0 ? 1 / rate() : 0;
  const auto counted = static_cast<std::size_t>(std::max<std::int64_t>(stream_->nb_frames, 0));
  const bool short_in_time =
      promised > 0 && came<promised - 1.5 * period, short_in_frames = counted> delivered_;
  const ContainerEnd end =
      origin_ == VideoOrigin::file ? container_end(source_) : ContainerEnd::unknown;
  const bool cut = end == ContainerEnd::cut && (short_in_time || short_in_frames);
  const bool far_off = end == ContainerEnd::unknown && promised > 0 && came < 0.9 * promised - 1;
  if (!cut && !far_off) return "";
  return fmt::format("ended after {} of {}{} frames ({:.1f} of {:.1f} s): the file is {}",
                     delivered_, counted > 0 ? "" : "about ", std::max(frames(), delivered_ + 1),
                     came, std::max(promised, static_cast<double>(counted) * period),
                     cut ? "cut" : "cut or damaged");
}

}  // namespace

std::unique_ptr<runtime::VideoReader> open_reader(const std::string& source, VideoOrigin origin,
                                                  const runtime::VideoLimits& limits,
                                                  const std::stop_token& stop) {
  route_messages();
  return std::make_unique<Reader>(source, origin, limits, stop);
}

}  // namespace yolov7::video
