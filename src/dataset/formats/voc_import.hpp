#pragma once
// Pascal VOC → YOLO layout.
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "dataset/formats/image_fit.hpp"

namespace yolov7::dataset {

struct VocImportOptions {
  std::filesystem::path source, out;
  std::vector<double> shares;  ///< train, val, test in percent; empty = everything in train.
                               ///< ImageSets lists come first
  std::uint64_t seed = 0;
  std::vector<std::string> names;  ///< classes in this order; empty = all, sorted by name
  BoxOrientation orientation = BoxOrientation::unknown;
  bool hard_link = false;  ///< pictures as hard links instead of copies
  int threads = 0;         ///< 0 = usable cores
  std::stop_token stop = {};
};

/// Converts and writes images/, labels/, data.yaml and conversion.json to `out`, all or nothing.
/// Corners are taken as they are and clipped to the picture's real size (after EXIF orientation);
/// boxes of less than one pixel and repeated ones (same class, same corners) are dropped, difficult
/// ones kept. An annotation without picture, a picture without annotation, broken XML and
/// unreadable pictures are dropped and named. Errors: no usable picture, `out` not empty, a full
/// disk, stopped_error().
Conversion import_voc(const VocImportOptions& options);

}  // namespace yolov7::dataset
