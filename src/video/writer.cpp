#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "video/ffmpeg.hpp"

namespace yolov7::video {
namespace {

/// The rate as a fraction that MPEG-4 can hold (16 bits): 30000/1001 stays itself.
constexpr int most_ticks = 65535;
AVRational fraction(double rate) { return av_d2q(rate, most_ticks); }

class Writer final : public runtime::VideoWriter {
 public:
  Writer(const std::filesystem::path& path, cv::Size size, double rate, const std::string& codec)
      : path_(path),
        partial_(path.parent_path() / (".partial-" + path.filename().string())),
        size_(size) {
    if (!(rate > 0) || !std::isfinite(rate))
      throw Error(fmt::format("{}: expected a positive number of frames a second, found {}",
                              path.string(), rate));
    file::make_folder(path.parent_path());
    try {
      open(rate, codec);
    } catch (...) {
      discard();
      throw;
    }
  }
  ~Writer() override {
    try {
      finish();
    } catch (const std::exception& exception) {
      log::error(exception.what());
    }
    discard();
  }

  void write(const cv::Mat& bgr, double seconds) override {
    if (bgr.type() != CV_8UC3 || bgr.size() != size_)
      throw Error(fmt::format("{}: expected frames of {} x {} px, found {} x {}", path_.string(),
                              size_.width, size_.height, bgr.cols, bgr.rows));
    checked(av_frame_make_writable(frame_.get()), path_.string(), "memory for a frame");
    const std::uint8_t* rows[] = {bgr.data};
    const int strides[] = {static_cast<int>(bgr.step)};
    sws_scale(converter_.get(), rows, strides, 0, bgr.rows, frame_->data, frame_->linesize);
    last_ = ticks_at(seconds);
    ++written_;
    frame_->pts = last_;
    encode(frame_.get());
  }

  void finish() override {
    if (finished_ || !header_) return;
    finished_ = true;
    encode(nullptr);
    checked(av_write_trailer(format_), path_.string(), "room for the end of the video");
    checked(avio_closep(&format_->pb), path_.string(), "room for the video");
    std::error_code error;
    std::filesystem::rename(partial_, path_, error);
    if (error)
      throw Error(fmt::format("{}: cannot be given its name: {}", path_.string(), error.message()));
  }

 private:
  /// The frame's own time. One that lies within the rounding of containers (1 ms) of a multiple of
  /// the period is that multiple, so that a regular video stays one.
  std::int64_t ticks_at(double seconds) {
    const double unit = 1 / av_q2d(encoder_->time_base);
    // What is longer than an hour is a jump of a broken clock rather than a pause.
    constexpr double longest_pause = 3600, rounding = 0.0011;
    if (written_ == 0) return 0;
    const double since = seconds - skipped_ - static_cast<double>(last_) / unit;
    if (since > longest_pause) {
      log::warning(fmt::format("{}: the time of the frames jumps by {:.0f} s; left out",
                               path_.string(), since));
      skipped_ += since - static_cast<double>(period_) / unit;
    }
    const double wanted = (seconds - skipped_) * unit;
    const auto multiple =
        static_cast<std::int64_t>(std::llround(wanted / static_cast<double>(period_))) * period_;
    const auto exact = static_cast<std::int64_t>(std::llround(wanted));
    const std::int64_t at =
        std::abs(static_cast<double>(multiple) - wanted) <= rounding * unit ? multiple : exact;
    return at > last_ ? at : last_ + period_;
  }

  void open(double rate, const std::string& codec) {
    const AVCodec* encoder = avcodec_find_encoder_by_name(codec.c_str());
    if (encoder == nullptr || encoder->type != AVMEDIA_TYPE_VIDEO)
      throw usage_error(
          fmt::format("{}: expected an encoder of this FFmpeg (mpeg4, libx264, ...), found '{}'",
                      setting_name("video-codec"), codec));
    checked(avformat_alloc_output_context2(&format_, nullptr, "mp4", partial_.c_str()),
            path_.string(), "the format mp4");
    encoder_.reset(avcodec_alloc_context3(encoder));
    encoder_->width = size_.width, encoder_->height = size_.height;
    encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
    // Ticks as fine as MPEG-4 can hold, a whole number of them to a frame of the rate.
    encoder_->framerate = fraction(rate);
    const bool fixed = encoder->supported_framerates != nullptr;  // MPEG-2 knows a few rates alone
    const int ticks = most_ticks / encoder_->framerate.num;
    encoder_->time_base =
        fixed ? av_inv_q(encoder_->framerate) : AVRational{1, encoder_->framerate.num * ticks};
    period_ = fixed ? 1 : std::int64_t{encoder_->framerate.den} * ticks;
    encoder_->gop_size = 12;
    encoder_->thread_count = 1;  // the network has the cores
    if (codec == "mpeg4") {
      encoder_->codec_tag = MKTAG('m', 'p', '4', 'v');
      encoder_->flags |= AV_CODEC_FLAG_QSCALE;
      encoder_->global_quality = FF_QP2LAMBDA * 3;
    }
    if (format_->oformat->flags & AVFMT_GLOBALHEADER)
      encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    checked(avcodec_open2(encoder_.get(), encoder, nullptr), path_.string(),
            "an encoder that takes these frames");
    stream_ = avformat_new_stream(format_, nullptr);
    checked(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()), path_.string(),
            "parameters of the encoder");
    stream_->time_base = encoder_->time_base;
    stream_->avg_frame_rate = encoder_->framerate;
    checked(avio_open(&format_->pb, partial_.c_str(), AVIO_FLAG_WRITE), path_.string(),
            "a file that can be written");
    checked(avformat_write_header(format_, nullptr), path_.string(),
            "room for the head of the video");
    header_ = true;
    make_frame();
  }

  void make_frame() {
    frame_.reset(av_frame_alloc());
    frame_->format = encoder_->pix_fmt;
    frame_->width = size_.width, frame_->height = size_.height;
    checked(av_frame_get_buffer(frame_.get(), 0), path_.string(), "memory for a frame");
    packet_.reset(av_packet_alloc());
    converter_.reset(sws_getContext(size_.width, size_.height, AV_PIX_FMT_BGR24, size_.width,
                                    size_.height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr,
                                    nullptr, nullptr));
    if (!converter_)
      throw Error(fmt::format("{}: expected a size that can be converted, found {} x {}",
                              path_.string(), size_.width, size_.height));
  }

  void encode(const AVFrame* frame) {
    checked(avcodec_send_frame(encoder_.get(), frame), path_.string(),
            "a frame that can be encoded");
    for (;;) {
      const int code = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      checked(code, path_.string(), "an encoded frame");
      packet_->duration = period_;
      av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      checked(av_interleaved_write_frame(format_, packet_.get()), path_.string(),
              "room for the video");
    }
  }

  void discard() {
    if (format_ != nullptr) {
      if (format_->pb != nullptr) avio_closep(&format_->pb);
      avformat_free_context(format_);
      format_ = nullptr;
    }
    std::error_code ignored;
    std::filesystem::remove(partial_, ignored);
  }

  std::filesystem::path path_, partial_;
  cv::Size size_;
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;
  Owned<AVCodecContext> encoder_;
  Owned<AVFrame> frame_;
  Owned<AVPacket> packet_;
  Owned<SwsContext> converter_;
  std::int64_t written_ = 0, last_ = 0, period_ = 1;
  double skipped_ = 0;
  bool header_ = false, finished_ = false;
};

}  // namespace

std::unique_ptr<runtime::VideoWriter> create_writer(const std::filesystem::path& path,
                                                    cv::Size size, double rate,
                                                    const std::string& codec) {
  route_messages();
  return std::make_unique<Writer>(path, size, rate, codec);
}

}  // namespace yolov7::video
