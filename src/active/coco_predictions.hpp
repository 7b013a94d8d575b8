#pragma once
// Detections as a COCO data set with scores, which `dataset push` and annotation tools take.
#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::active {

struct PredictedImage {
  std::string file;  ///< as it is written
  int width = 0, height = 0;
  std::vector<Detection> detections;
  /// Places of those that no network found; they are written with the attribute `interpolated`.
  std::vector<std::size_t> interpolated = {};
};

/// Images, boxes and categories are numbered from 1; boxes are pixels.
nlohmann::json coco_predictions(const std::vector<PredictedImage>& images,
                                const std::vector<std::string>& names);

struct Predictions {
  std::vector<std::string> names;  ///< classes
  std::vector<PredictedImage> images;
};
/// The other way round. Error: a file that coco_predictions() did not write: no images or no
/// categories, a size below 1, a box without its image, its class or a score of 0 … 1.
Predictions read_coco_predictions(const std::filesystem::path& file);

}  // namespace yolov7::active
