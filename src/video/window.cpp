#include <fmt/format.h>
extern "C" {
#include <libavdevice/avdevice.h>
}

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "video/ffmpeg.hpp"

namespace yolov7::video {
namespace {

constexpr int width = 1280, height = 720;

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// FFmpeg's SDL output takes raw pictures. SDL wants its window, its pictures and its events in one
/// thread.
class Window final : public runtime::VideoWindow {
 public:
  explicit Window(std::string title)
      : title_(std::move(title)), canvas_(height, width, CV_8UC3, cv::Scalar::all(32)) {
    if (!set("DISPLAY") && !set("WAYLAND_DISPLAY") && !set("SDL_VIDEODRIVER"))
      throw Error(setting_name("view-img") +
                  ": expected a display (DISPLAY or WAYLAND_DISPLAY), found none; without it the "
                  "results are in the run folder");
    thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ || !error_.empty(); });
    if (error_.empty()) return;
    lock.unlock();
    thread_.join();
    throw Error(fmt::format("{}: {}", setting_name("view-img"), error_));
  }
  ~Window() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void show(const cv::Mat& bgr, std::size_t cell, std::size_t cells) override {
    const int columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(cells)))),
              rows = (static_cast<int>(cells) + columns - 1) / columns;
    const cv::Rect place(static_cast<int>(cell) % columns * (width / columns),
                         static_cast<int>(cell) / columns * (height / rows), width / columns,
                         height / rows);
    const double scale = std::min(static_cast<double>(place.width) / bgr.cols,
                                  static_cast<double>(place.height) / bgr.rows);
    const cv::Size size(std::max(1, static_cast<int>(bgr.cols * scale)),
                        std::max(1, static_cast<int>(bgr.rows * scale)));
    cv::Mat shown;
    cv::resize(bgr, shown, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    const std::lock_guard lock(mutex_);
    canvas_(place).setTo(cv::Scalar::all(32));
    shown.copyTo(canvas_(cv::Rect(
        {place.x + (place.width - size.width) / 2, place.y + (place.height - size.height) / 2},
        size)));
    changed_.notify_all();
  }
  bool closed() const override { return closed_; }

 private:
  void run() {
    AVFormatContext* context = nullptr;
    try {
      context = open();
      const std::lock_guard lock(mutex_);
      open_ = true;
      changed_.notify_all();
    } catch (const std::exception& exception) {
      const std::lock_guard lock(mutex_);
      error_ = exception.what();
      changed_.notify_all();
      return;
    }
    while (draw(context)) {
    }
    if (!closed_)
      av_write_trailer(context);  // where the user closed it, the output has done so itself
    avformat_free_context(context);
  }

  AVFormatContext* open() {
    route_messages();
    avdevice_register_all();
    const AVOutputFormat* format = av_guess_format("sdl2", nullptr, nullptr);
    if (format == nullptr) throw Error("expected an FFmpeg with SDL output, found none");
    AVFormatContext* context = nullptr;
    checked(avformat_alloc_output_context2(&context, format, nullptr, nullptr), "the window",
            "an output");
    AVStream* stream = avformat_new_stream(context, nullptr);
    stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    stream->codecpar->codec_id = AV_CODEC_ID_RAWVIDEO;
    stream->codecpar->format = AV_PIX_FMT_BGR24;
    stream->codecpar->width = width, stream->codecpar->height = height;
    AVDictionary* options = nullptr;
    av_dict_set(&options, "window_title", title_.c_str(), 0);
    const int code = avformat_write_header(context, &options);
    av_dict_free(&options);
    if (code < 0) avformat_free_context(context);
    checked(code, "the window", "a display that can be used");
    return context;
  }

  /// One picture, and the events since the last one. False at the end.
  bool draw(AVFormatContext* context) {
    Owned<AVPacket> packet(av_packet_alloc());
    if (av_new_packet(packet.get(), width * height * 3) < 0) return false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(40), [&] { return ending_; });
      if (ending_) return false;
      std::copy(canvas_.data, canvas_.data + packet->size, packet->data);
    }
    if (av_write_frame(context, packet.get()) >= 0) return true;
    closed_ = true;
    return false;
  }

  std::string title_, error_;
  cv::Mat canvas_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> closed_ = false;
  bool open_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<runtime::VideoWindow> open_window(const std::string& title) {
  return std::make_unique<Window>(title);
}

}  // namespace yolov7::video
