#pragma once
// Whether a video file ends where its container says.
#include <filesystem>

namespace yolov7::video {

enum class ContainerEnd {
  whole,
  cut,     ///< a part of it is longer than the file
  unknown  ///< another container, or one that does not say its length
};

/// Walks the outermost boxes of mp4 and mov, the outermost elements of Matroska and WebM, the RIFF
/// chunks of AVI.
ContainerEnd container_end(const std::filesystem::path& path);

}  // namespace yolov7::video
