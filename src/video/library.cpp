// The door of libyolov7-video; see runtime/video.hpp.
#include <fmt/format.h>

#include "video/ffmpeg.hpp"

namespace {

std::string version() {
  const unsigned number = avformat_version();
  return fmt::format("FFmpeg (libavformat {}.{}.{})", AV_VERSION_MAJOR(number), AV_VERSION_MINOR(number), AV_VERSION_MICRO(number));
}

}  // namespace

extern "C" const yolov7::runtime::VideoLibrary* yolov7_video_library() {
  static const yolov7::runtime::VideoLibrary library{&yolov7::video::open_reader, &yolov7::video::create_writer, &yolov7::video::open_window, &version};
  return &library;
}
