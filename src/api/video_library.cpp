#include "api/video_library.hpp"

#include "api/loaded_library.hpp"

namespace yolov7::api {

const runtime::VideoLibrary& video_library() {
  const auto entry = reinterpret_cast<const runtime::VideoLibrary* (*)()>(library_entry(
      "libyolov7-video.so", "yolov7_video_library",
      "videos, cameras and streams need the video library",
      "Build it with FFmpeg: scripts/setup, then cmake --preset release -DYOLOV7_VIDEO=ON"));
  return *entry();
}

}  // namespace yolov7::api
