#pragma once
// Videos as images that annotate can look at, and which images are frames of which video.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/frames/sources.hpp"

namespace yolov7::cli {

struct FramePlace {
  std::size_t video = 0;    ///< images of one number are frames of one video
  std::int64_t number = 0;  ///< from 0
};
using FramePlaces = std::map<std::filesystem::path, FramePlace>;

/// The images of each folder in the order of their names, digits as numbers ("f2" before "f10").
FramePlaces places_in_folders(const std::vector<std::filesystem::path>& images);

/// The frames of videos as JPEG files (quality 95) in a folder beside the output, which the
/// destructor removes.
class VideoImages {
 public:
  explicit VideoImages(std::filesystem::path out);
  ~VideoImages();
  VideoImages(const VideoImages&) = delete;
  VideoImages& operator=(const VideoImages&) = delete;

  struct Read {
    std::vector<runtime::SourcePicture> pictures;
    FramePlaces places;
    std::vector<std::string> faults;  ///< "path: reason"
  };
  /// Every `stride`-th frame, as NAME/NAME_000001.jpg by the frame's number in the video. Errors:
  /// no video library, a full disk; stopped_error(). A video that cannot be read is a fault.
  Read read(const std::vector<runtime::SourceVideo>& videos, int stride);
  const std::filesystem::path& folder() const { return folder_; }
  /// Where an image of read() stands in the finished output, absolute; any other as it is.
  std::filesystem::path place_in_output(const std::filesystem::path& image) const;

 private:
  std::filesystem::path out_, folder_;
};

}  // namespace yolov7::cli
