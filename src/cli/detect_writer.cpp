#include "cli/detect_writer.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "image/codec.hpp"

namespace yolov7::cli {

namespace fs = std::filesystem;

std::string label_lines(const std::vector<Detection>& detections, cv::Size picture, bool with_confidence) {
  std::string out;
  for (auto detection = detections.rbegin(); detection != detections.rend(); ++detection) {
    const CxcywhNormalized box = to_normalized(detection->box, picture.width, picture.height);
    out += fmt::format("{} {} {} {} {}", detection->class_index, text::general(box.cx), text::general(box.cy), text::general(box.w), text::general(box.h));
    if (with_confidence) out += " " + text::general(detection->score);
    out += '\n';
  }
  return out;
}

DetectWriter::DetectWriter(fs::path folder, std::vector<std::string> names, Options options)
    : folder_(std::move(folder)), names_(std::move(names)), options_(options) {}

fs::path DetectWriter::write(const fs::path& source, const fs::path& relative, cv::Mat& bgr, const std::vector<Detection>& detections) {
  if (options_.labels) write_labels(source, relative, bgr.size(), detections);
  return options_.pictures ? write_picture(relative, bgr, detections) : fs::path();
}

void DetectWriter::write_labels(const fs::path& source, const fs::path& relative, cv::Size picture, const std::vector<Detection>& detections) {
  const fs::path path = (folder_ / "labels" / relative).replace_extension(".txt");
  std::string content = label_lines(detections, picture, options_.confidences);
  if (const auto [entry, first] = first_source_.emplace(path, source); !first) {
    log::warning(fmt::format("{} and {} share the label file {}; the lines of both are in it", entry->second.string(), source.string(), path.string()));
    if (fs::exists(path)) content = file::read(path) + content;
  }
  if (content.empty()) {
    // No file for a picture without objects, and none left of an earlier run either.
    std::error_code error;
    fs::remove(path, error);
    if (error) throw Error(fmt::format("{}: cannot remove this label file of an earlier run: {}", path.string(), error.message()));
    return;
  }
  file::make_folder(path.parent_path());
  file::write_atomically(path, content);
}

fs::path DetectWriter::write_picture(const fs::path& relative, cv::Mat& bgr, const std::vector<Detection>& detections) const {
  draw_detections(bgr, detections, names_, options_.draw);
  fs::path path = folder_ / relative;
  const std::string suffix = text::lower(path.extension().string());
  if (suffix == ".dng" || suffix == ".mpo") path += ".jpg";  // formats that are read only
  file::make_folder(path.parent_path());
  yolov7::write_picture(path, bgr);
  return path;
}

}  // namespace yolov7::cli
