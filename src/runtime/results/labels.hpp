#pragma once
// Label files of detections (evaluation 1.11, 3.6).
#include <filesystem>
#include <opencv2/core/types.hpp>
#include <string>

#include "core/file.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::runtime {

/// "class cx cy w h [score] [track]" and a line feed, normalised by the image, %g.
std::string label_line(const Detection& detection, cv::Size image, bool with_confidence,
                       bool with_track);

/// No file for an image without objects, and none left of an earlier run either. Errors: a file
/// that cannot be written or removed.
void write_label_file(const std::filesystem::path& path, const std::string& lines,
                      file::Sync sync = file::Sync::now);

}  // namespace yolov7::runtime
