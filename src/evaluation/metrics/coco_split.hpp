#pragma once
// Between a split of a data set and COCO: ground truth from labels or from an annotation file,
// result files.
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/index/index.hpp"
#include "evaluation/metrics/coco.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::evaluation {

/// Detections of one picture of an index, in pixels of the original.
struct PictureDetections {
  std::size_t entry = 0;
  std::vector<Detection> detections;
};

Ltwh to_ltwh(const Xyxy& box);
/// category_id of a class in files: the class index, or for COCO's 80 classes the 91-style id
/// (evaluation 1.11).
std::int64_t category_id(int class_index, bool coco_ids);
/// image_ids() of core/output_names, as in detect; a warning where they are numbered 1 … n.
std::vector<std::string> picture_ids(const dataset::Index& index);

/// Ground truth from the labels: picture ids entry + 1, category ids class + 1, annotations 1 … n,
/// area = width · height in pixels, no crowds.
CocoGroundTruth ground_truth_of(const dataset::Index& index);
/// The same from a COCO annotation file, restricted to the pictures of the index, whose stem is the
/// id, as a text or by its digits; categories by name, or with `coco_ids` and 80 classes by the
/// 91-style id. Errors: a picture or class that the file lacks; an id whose file_name is another
/// picture of the file.
CocoGroundTruth ground_truth_of(const dataset::Index& index,
                                const std::filesystem::path& annotations, bool coco_ids);

/// The result file: boxes to 3 decimals, scores to 5. Written atomically. `coco_ids`, here and
/// below: without effect unless there are 80 classes.
void write_detections(const std::filesystem::path& path,
                      const std::vector<PictureDetections>& pictures, const dataset::Index& index,
                      bool coco_ids);
/// The labels as the COCO ground truth that belongs to that file.
void write_ground_truth(const std::filesystem::path& path, const dataset::Index& index,
                        bool coco_ids);

}  // namespace yolov7::evaluation
