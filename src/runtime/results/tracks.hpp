#pragma once
// Tracks as MOTChallenge text (evaluation 3.6): one file for a video, a stream, or a folder of
// images, whose numbers are then the frames.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"
#include "runtime/results/result_stream.hpp"

namespace yolov7::runtime {

/// "frame,track,left,top,width,height,score,class,-1,-1" and a line feed.
std::string track_line(std::size_t frame, const Detection& detection);

/// Files that are made when the run first comes to them. One is open at a time, however many
/// folders, videos and streams there are.
class TrackFiles {
 public:
  void write(const std::filesystem::path& path, std::size_t frame,
             const std::vector<Detection>& detections);

 private:
  std::set<std::filesystem::path> begun_;
  std::filesystem::path path_;
  std::optional<ResultStream> file_;  ///< of path_
};

}  // namespace yolov7::runtime
