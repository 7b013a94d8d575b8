#pragma once
#include "runtime/frames/video.hpp"

namespace yolov7::api {

/// Loads libyolov7-video (FFmpeg). Error: the library cannot be loaded; the message says what to
/// do.
const runtime::VideoLibrary& video_library();

/// From now on images that need FFmpeg's decoders can be read. The first such image loads the
/// library. Where it cannot be loaded, each such image is an Error that says what to do.
void decode_further_images();

}  // namespace yolov7::api
