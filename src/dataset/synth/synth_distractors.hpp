#pragma once
// Distractors of the built-in generator: shapes and strokes that are drawn and have no label.
#include <opencv2/core/mat.hpp>

#include "core/random.hpp"
#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {

/// A closed outline of 72 points around `centre`, in pixels. Its distance from the centre varies
/// around `radius` (px) by random sine waves, so that it is like none of the shapes.
Outline blob(cv::Point2d centre, double radius, Random& random);
/// One random stroke: a random walk, a straight line or an open arc. Returns its coverage of the
/// whole picture, 0 … 1, CV_32FC1 of `size`. `thickest`: greatest width as a share of the longer
/// side; the width is at least 1 px.
cv::Mat stroke(cv::Size size, double thickest, Random& random);

}  // namespace yolov7::dataset
