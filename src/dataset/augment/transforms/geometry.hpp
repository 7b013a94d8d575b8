#pragma once
// Geometry (data 13.3, rows 59–93). Coordinates are continuous: pixel (i, j) covers [j, j + 1) ×
// [i, i + 1). Uncovered pixels are 114.
#include <functional>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

inline constexpr int geometry_grey = 114;

// Steps that the entries are made of: the picture, and the objects by their code.

/// A: `m` maps source to destination; bilinear.
void warp_sample(Sample& sample, const cv::Matx33d& m, cv::Size output, double area_factor,
                 const BoxFilter& filter);
/// C: the rectangle becomes the picture; what lies outside is filled.
void crop_sample(Sample& sample, const cv::Rect& region, const BoxFilter& filter,
                 int fill = geometry_grey);
/// C: bilinear.
void resize_sample(Sample& sample, cv::Size size, const BoxFilter& filter);
/// W: output pixel centre p shows the input at p + (dx, dy)(p), CV_32F of the picture's size,
/// bilinear; `forward` maps input points to output points.
void displace_sample(Sample& sample, const cv::Mat& dx, const cv::Mat& dy,
                     const std::function<cv::Point2d(cv::Point2d)>& forward,
                     const BoxFilter& filter);

/// Makes the displacement as much smaller as it must be for no part of the picture to fold: its
/// steepest slope becomes at most 0.7.
void prevent_folds(cv::Mat& dx, cv::Mat& dy);
/// The output point that shows the input at `point`: q = point − d(q) by iteration, which converges
/// without folds.
cv::Point2d inverse_displacement(const cv::Mat& dx, const cv::Mat& dy, cv::Point2d point);
/// Sides of the largest axis-parallel rectangle inside a rectangle that is rotated about its
/// centre.
cv::Size2d inscribed_rectangle(cv::Size2d size, double degrees);

std::vector<TransformEntry> geometry_transforms();
// Its parts.
std::vector<TransformEntry> symmetry_transforms();  ///< rows 59–63
std::vector<TransformEntry> affine_transforms();    ///< rows 64–71
std::vector<TransformEntry> resize_transforms();    ///< rows 72–76
std::vector<TransformEntry> crop_transforms();      ///< rows 77–87
std::vector<TransformEntry> warp_transforms();      ///< rows 88–93

}  // namespace yolov7::dataset
