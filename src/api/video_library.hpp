#pragma once
#include "runtime/frames/video.hpp"

namespace yolov7::api {

/// Loads libyolov7-video (FFmpeg). Error: it is not there, with the remedy.
const runtime::VideoLibrary& video_library();

}  // namespace yolov7::api
