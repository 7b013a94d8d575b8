#pragma once
// What lies in a built-in scene besides its objects.
#include <opencv2/core/mat.hpp>

#include "core/random.hpp"
#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {

/// A closed curve with strong lobes, so that it is none of the shapes.
Outline blob(cv::Point2d centre, double radius, Random& random);
/// Scribbles (random walks), straight lines and open arcs as coverage of the whole picture.
cv::Mat stroke(cv::Size size, double thickest, Random& random);

}  // namespace yolov7::dataset
