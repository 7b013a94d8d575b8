#pragma once
// Ground truth and detections by category, and within a category by picture: what the COCO metric
// walks over.
#include <cstdint>
#include <vector>

#include "evaluation/metrics/coco_data.hpp"

namespace yolov7::evaluation {

/// What belongs to a category on a picture: parts of the category's lists.
struct CocoCell {
  std::uint32_t picture;
  std::size_t first_truth, last_truth, first_detection, last_detection;
};

/// All of a category, pictures in ascending id; a cell's detections by falling score, stable, cut
/// to the last limit.
struct CocoCategoryData {
  std::vector<const CocoAnnotation*> truths;
  std::vector<const CocoDetection*> detections;
  std::vector<CocoCell> cells;
};

class CocoCells {
 public:
  /// [category]: things in the order of their pictures, those of a picture as they came; and the
  /// picture of each.
  template <class Thing>
  struct Sorted {
    std::vector<std::vector<const Thing*>> things;
    std::vector<std::vector<std::uint32_t>> pictures;
  };

  /// Error: a detection on a picture that is not among `images`. Ids ascend; the ground truth and
  /// the detections outlive this.
  CocoCells(const CocoGroundTruth& ground_truth, const std::vector<CocoDetection>& detections,
            const std::vector<CocoCategory>& categories, const std::vector<std::int64_t>& images);
  /// Cells of the k-th category, once; detections beyond the first `most` of a cell are dropped.
  /// Several threads may take different categories.
  CocoCategoryData take(std::size_t k, std::size_t most);

 private:
  Sorted<CocoAnnotation> truths_;
  Sorted<CocoDetection> found_;
};

}  // namespace yolov7::evaluation
