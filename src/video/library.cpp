// The door of libyolov7-video; see runtime/video.hpp.
#include "video/ffmpeg.hpp"

extern "C" const yolov7::runtime::VideoLibrary* yolov7_video_library() {
  static const yolov7::runtime::VideoLibrary library{&yolov7::video::open_reader,
                                                     &yolov7::video::create_writer,
                                                     &yolov7::video::open_window,
                                                     {&yolov7::video::decode_image}};
  return &library;
}
