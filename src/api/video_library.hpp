#pragma once
#include "runtime/frames/video.hpp"

namespace yolov7::api {

/// Loads libyolov7-video (FFmpeg). Error: it is not there, with the remedy.
const runtime::VideoLibrary& video_library();

/// From now on images that need FFmpeg's decoders are read, with the library loaded when the first
/// one is met; without it each is an Error with the remedy.
void decode_further_images();

}  // namespace yolov7::api
