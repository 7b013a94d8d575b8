#pragma once
// Weighted Boxes Fusion: lists of boxes (the models of an ensemble, the passes of an augmented
// prediction) become one (Solovyev, Wang, Gabruseva, Image and Vision Computing 2021;
// evaluation 2.4 (e)).
#include <span>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7 {

enum class FusedScore { average, maximum, box_and_model_average, absent_model_aware_average };

struct FusionOptions {
  double iou_thres =
      0.55;  ///< strict: a box joins the cluster whose mean it overlaps most, and by more than this
  double skip_below = 0;  ///< boxes with a raw score below it are left out
  FusedScore score = FusedScore::average;
  bool allow_overflow = false;  ///< average: scores may exceed those of the boxes
  std::vector<double> weights;  ///< one for each list; empty = all 1
  bool agnostic = false;        ///< clusters across classes; the class is that of the best box
};

/// `lists`: boxes in one common frame. Swapped corners are put right, boxes without area are left
/// out. Descending score, stable. Error: a number of weights that is not that of the lists, a
/// weight that is not positive.
std::vector<Detection> weighted_boxes_fusion(std::span<const std::vector<Detection>> lists,
                                             const FusionOptions& options);

}  // namespace yolov7
