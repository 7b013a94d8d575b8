#pragma once
// COCO files: ground truth and detections in, detections out.
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/index.hpp"
#include "evaluation/coco.hpp"
#include "image/box.hpp"

namespace yolov7::evaluation {

/// Errors name the file and the element: missing key, wrong type, a number that is not finite, a bbox that is not of four
/// numbers, annotation id 0, syntax with line and column.
CocoGroundTruth read_ground_truth(const std::filesystem::path& path);
/// Errors as above, and a picture that the ground truth does not know.
std::vector<CocoDetection> read_detections(const std::filesystem::path& path, const CocoGroundTruth& ground_truth);

/// Ground truth of a split: picture ids 1 … n in the index's order, category ids class + 1, area = width · height in
/// pixels, no crowds.
CocoGroundTruth ground_truth_of(const dataset::Index& index);
Ltwh to_ltwh(const Xyxy& box);

/// Detections of one picture of an index, in pixels of the original.
struct PictureDetections {
  std::size_t entry = 0;
  std::vector<Detection> detections;
};
/// The result file (evaluation 1.11): image_id is the number if the stem is all digits, else the stem; category_id the
/// class index, or for COCO's 80 classes the 91-style id; boxes to 3 decimals, scores to 5. Written atomically.
void write_detections(const std::filesystem::path& path, const std::vector<PictureDetections>& pictures, const dataset::Index& index, bool coco_ids);

}  // namespace yolov7::evaluation
