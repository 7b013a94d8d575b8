#pragma once
// Transforms that take other pictures of the data set (data 12.1 and 13.4, rows 101–106). Without
// another picture they do nothing.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

struct CutMixOptions {
  double keep_base =
      0.40;  ///< an object of the base stays while at least this share of its box is visible
  double keep_patch =
      0.10;  ///< an object of the patch comes along where at least this share of its box is in it
  bool trim = true;  ///< boxes end at the patch where it hides a whole end of them
};

/// The patch of a CutMix: sides ⌊side · √(1 − λ)⌋ about a centre pixel, cut at the picture (arXiv
/// 1905.04899; data 12.1 step 2). May be empty.
cv::Rect cutmix_patch(cv::Size size, double lambda, cv::Point centre);
/// Pixels of `patch` in `other` replace those of `base`; labels by visibility (data 12.1 steps
/// 3–6). Both have one size.
void cutmix(Sample& base, const Sample& other, const cv::Rect& patch, const CutMixOptions& options,
            const BoxFilter& filter);

std::vector<TransformEntry> mixing_transforms();

}  // namespace yolov7::dataset
