#pragma once
// Boxes and polygons under transforms, by the codes of data 12. Polygons are carried along, so that
// a later transform can use them.
#include <functional>
#include <opencv2/core/matx.hpp>
#include <vector>

#include "dataset/augment/sample.hpp"
#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// A (affine, projective) and C (crop, pad, resize): corners, or the polygon's points, by `m`
/// (source → destination), then extent, clip, filter. `area_factor` is what the transform makes of
/// an area anywhere (1 for a rotation, sx · sy for a scale).
void transform_objects(std::vector<Object>& objects, const cv::Matx33d& m, double area_factor,
                       cv::Size output, const BoxFilter& filter);

/// X: as transform_objects, without clip and filter: nothing is lost.
void permute_objects(std::vector<Object>& objects, const cv::Matx33d& m);

/// W: 16 points per side of a box (polygon: 1000 points) by the forward displacement, then extent,
/// clip, filter.
void warp_objects(std::vector<Object>& objects,
                  const std::function<cv::Point2d(cv::Point2d)>& forward, cv::Size output,
                  const BoxFilter& filter);

/// D: removes the objects of whose box at least the share `limit` is erased. `erased`: CV_8U, not 0
/// where pixels were removed. A limit above 1 keeps all.
void drop_covered(std::vector<Object>& objects, const cv::Mat& erased, double limit);

/// Picture letterboxed into `size` (data 7.2, enlarging too) and objects with it; nothing where it
/// has that size.
void letterbox_sample(Sample& sample, cv::Size size, const BoxFilter& filter);

/// One object cut to `region` (whole pixels), filtered; whether it stays.
bool cut_object(Object& object, const Xyxy& region, const BoxFilter& filter);

/// A rectangle of whole pixels as a box, and the whole pixels of a box: [⌊x1⌋, ⌈x2⌉) × [⌊y1⌋,
/// ⌈y2⌉), inside the picture.
Xyxy to_box(const cv::Rect& pixels);
cv::Rect pixels_of(const Xyxy& box, cv::Size picture);

/// The filter of A, C, W and M for one object: `area_before` is already scaled.
bool stays(const Xyxy& box, double area_before, const BoxFilter& filter);

}  // namespace yolov7::dataset
