#pragma once
// FFmpeg's objects with owners, and its errors as ours. Only for this folder.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "runtime/frames/video.hpp"

namespace yolov7::video {

struct Closer {
  void operator()(AVFormatContext* context) const;  ///< of an input
  void operator()(AVCodecContext* context) const;
  void operator()(AVFrame* frame) const;
  void operator()(AVPacket* packet) const;
  void operator()(SwsContext* context) const;
};
template <class T>
using Owned = std::unique_ptr<T, Closer>;

/// "No such file or directory" for a code of FFmpeg.
std::string reason(int code);
/// Throws "<source>: expected <what>, found: <reason>" if `code` is negative; returns it otherwise.
int checked(int code, const std::string& source, const char* what);
/// FFmpeg's messages become debug lines of our log; called once.
void route_messages();

/// The source without user name and password, for messages.
std::string shown(const std::string& source);

/// Frames as 8-bit B G R, by their own matrix and range of colours.
class Converter {
 public:
  cv::Mat bgr(const AVFrame& frame, const std::string& source);

 private:
  Owned<SwsContext> context_;
};

cv::Mat decode_image(std::string_view bytes, const std::string& source, const DecodeLimits& limits);
std::unique_ptr<runtime::VideoReader> open_reader(const std::string& source,
                                                  runtime::VideoOrigin origin,
                                                  const runtime::VideoLimits& limits,
                                                  const std::stop_token& stop);
std::unique_ptr<runtime::VideoWriter> create_writer(const std::filesystem::path& path,
                                                    cv::Size size, double rate,
                                                    const std::string& codec);
std::unique_ptr<runtime::VideoWindow> open_window(const std::string& title);

}  // namespace yolov7::video
