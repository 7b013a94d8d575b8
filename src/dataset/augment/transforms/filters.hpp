#pragma once
// Blur and sharpness (data 13.2, rows 29–40; code N). Borders are mirrored about the outermost
// pixel everywhere.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Gaussian blur over three standard deviations each way, at least a pixel; `sigma` in pixels.
cv::Mat gaussian(const cv::Mat& picture, double sigma);

// Kernels, CV_64F, odd sides, sum 1.

/// A line of `length` pixels at `degrees` (counter-clockwise from the x axis); `direction` −1 … 1:
/// all weight at its first end, even, at its last one.
cv::Mat motion_kernel(int length, double degrees, double direction);
/// A disc of `radius` pixels, blurred by a Gaussian of `sigma` pixels (0: not).
cv::Mat disc_kernel(int radius, double sigma);
/// exp(−½ d^β) with d² the squared Mahalanobis distance under standard deviations along axes
/// rotated by `degrees`, in `size` × `size` pixels.
cv::Mat generalised_gaussian_kernel(int size, double sigma_x, double sigma_y, double degrees,
                                    double beta);
/// Ideal low pass of angular frequency `cutoff` in the plane: cutoff · J₁(cutoff · r) / (2π r), in
/// `size` × `size` pixels.
cv::Mat sinc_kernel(int size, double cutoff);

std::vector<TransformEntry> filter_transforms();

}  // namespace yolov7::dataset
