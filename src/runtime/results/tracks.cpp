#include "runtime/results/tracks.hpp"

#include <fmt/format.h>

namespace yolov7::runtime {

std::string track_line(std::size_t frame, const Detection& d) {
  return fmt::format("{},{},{:.3f},{:.3f},{:.3f},{:.3f},{:.5f},{},-1,-1\n", frame, d.track,
                     d.box.x1, d.box.y1, d.box.width(), d.box.height(), d.score, d.class_index);
}

void TrackFiles::write(const std::filesystem::path& path, std::size_t frame,
                       const std::vector<Detection>& detections) {
  if (!file_ || path != path_) {
    if (file_) file_->close();
    file_.emplace(path, !begun_.insert(path).second);
    path_ = path;
  }
  for (const Detection& d : detections) file_->write(track_line(frame, d));
  file_->flush();
}

}  // namespace yolov7::runtime
