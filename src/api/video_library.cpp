#include "api/video_library.hpp"

#include "api/loaded_library.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"

namespace yolov7::api {

namespace {

constexpr const char* remedy =
    "It is in the Debian package yolov7-video; or build it: scripts/build release";

const runtime::VideoLibrary& loaded(const std::string& needed_for) {
  if (failpoint::hit("video-library"))
    throw Error(needed_for + ", which cannot be loaded (failpoint). " + remedy);
  const auto entry = reinterpret_cast<const runtime::VideoLibrary* (*)()>(
      library_entry("libyolov7-video.so", "yolov7_video_library", needed_for, remedy));
  return *entry();
}

const FurtherDecoder& image_decoder() {
  return loaded("this kind of image needs the video library").images;
}

}  // namespace

const runtime::VideoLibrary& video_library() {
  return loaded("videos, cameras and streams need the video library");
}

void decode_further_images() { set_further_decoder(&image_decoder); }

}  // namespace yolov7::api
