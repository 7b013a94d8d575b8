#pragma once
// Colours, textures and camera faults of the built-in generator. Canvases are 32-bit float B G R, 0
// … 255.
#include <opencv2/core/mat.hpp>

#include "core/random.hpp"

namespace yolov7::dataset {

/// One channel of 32-bit float in about −1 … 1: plain, noise of several sizes, stripes, checks,
/// dots or a slope.
cv::Mat random_pattern(cv::Size size, Random& random);
/// Smooth noise in about −1 … 1 with cells of `cell_px` pixels.
cv::Mat smooth_noise(cv::Size size, double cell_px, Random& random);
/// One of the patterns above, the attractor of two to four random affine maps (iterated function
/// system, Barnsley 1988; points of a chaos game, brightness by the logarithm of their density), or
/// noise of six octaves.
cv::Mat random_fractal(cv::Size size, Random& random);
/// A canvas of `colour` plus two patterns (`fractal`: of the fractal ones) of up to `amplitude`
/// grey levels, each in a tint of its own.
cv::Mat random_texture(cv::Size size, const cv::Vec3f& colour, double amplitude, Random& random,
                       bool fractal = false);
/// Any colour at least `distance` (Euclidean, grey levels) from `other` where the cube has one;
/// else the farthest tried.
cv::Vec3f contrasting_colour(const cv::Vec3f& other, double distance, Random& random);
/// canvas = canvas · (1 − coverage) + paint · coverage inside `roi`; `paint` and `coverage` have
/// its size.
void blend(cv::Mat& canvas, const cv::Rect& roi, const cv::Mat& paint, const cv::Mat& coverage);
/// Independent noise of standard deviation `sigma` per channel, near normal (the sum of four
/// uniform bytes).
void add_noise(cv::Mat& canvas, double sigma, Random& random);

}  // namespace yolov7::dataset
