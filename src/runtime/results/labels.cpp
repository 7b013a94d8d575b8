#include "runtime/results/labels.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {

std::string label_line(const Detection& detection, cv::Size image, bool with_confidence,
                       bool with_track) {
  const CxcywhNormalized box = to_normalized(detection.box, image.width, image.height);
  std::string line = fmt::format("{} {} {} {} {}", detection.class_index, text::general(box.cx),
                                 text::general(box.cy), text::general(box.w), text::general(box.h));
  if (with_confidence) line += " " + text::general(static_cast<double>(detection.score));
  if (with_track) line += fmt::format(" {}", detection.track);
  return line + "\n";
}

void write_label_file(const std::filesystem::path& path, const std::string& lines,
                      file::Sync sync) {
  if (!lines.empty()) {
    file::make_folder(path.parent_path());
    file::write_atomically(path, lines, sync);
    return;
  }
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(fmt::format("{}: cannot remove this label file of an earlier run: {}",
                            path.string(), error.message()));
}

}  // namespace yolov7::runtime
