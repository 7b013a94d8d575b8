#pragma once
// Colour and tone (data 13.1, rows 1–27; code N). Row 28, Normalize, is the network's own
// preparation.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// CIE 1931 chromaticity x, y of a black body, 1667 … 25000 K (Kim et al., US patent 7024034: cubic
/// splines, within .001 of the locus).
cv::Vec2d planckian_xy(double kelvin);
/// Ordinates 0 … 1 of the cubic Bézier curve (0, 0), (1/3, y1), (2/3, y2), (1, 1) at abscissa 0
/// … 1.
double tone_curve(double at, double y1, double y2);
/// A plane of 0 … 1: grids of (2^k + 1)² uniform values, k = 0 … 7 and no finer than two pixels,
/// bilinearly enlarged, weighted roughness^−k, summed, stretched to 0 … 1 (a flat plane where the
/// picture is too small for a difference). CV_32F.
cv::Mat fractal_plane(cv::Size size, double roughness, Random& random);

std::vector<TransformEntry> colour_transforms();
/// Rows 16–19 and 27, part of colour_transforms().
std::vector<TransformEntry> level_transforms();
/// Rows 20–26, part of colour_transforms().
std::vector<TransformEntry> tone_transforms();

}  // namespace yolov7::dataset
