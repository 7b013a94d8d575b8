#pragma once
// Copy-paste of mirrored objects inside a mosaic (data 8.3; Ghiasi et al., arXiv 2012.07177).
#include <cstddef>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

/// round(fraction · n) distinct positions of the n objects with a polygon, in random order (halves
/// to even).
std::vector<std::size_t> choose_polygons(std::span<const Object> objects, double fraction,
                                         Random& random);
/// Each chosen object is pasted mirrored left to right, with its label, unless it would hide 30 %
/// or more of any label, those just added included. Pixels go by the mirrored mask (data F14).
/// Changes the picture in place.
void copy_paste(Sample& sample, std::span<const std::size_t> chosen);
/// The outline, coordinates truncated to whole pixels, filled with 255 in an 8-bit mask of the
/// given size.
void fill_outline(cv::Mat& mask, std::span<const cv::Point2d> outline);

}  // namespace yolov7::dataset
