#pragma once
// One picture on its way through the training pipeline (data 8): pixels and labels in pixel
// coordinates.
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "dataset/index/label.hpp"
#include "dataset/index/label_marks.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::dataset {

/// A labelled object in pixels of its picture. The polygon is optional per object (data 8.4, F15).
struct Object {
  int class_index = 0;
  Xyxy box;
  std::vector<cv::Point2d> polygon;
  float weight = 1;      ///< in the loss
  bool ignored = false;  ///< no object but a region whose predictions are no background: it takes
                         ///< the same way, and its class says nothing
};

/// 8-bit B G R. Functions that change pixels in place need a picture of their own: those of the
/// cache are shared.
struct Sample {
  cv::Mat picture;
  std::vector<Object> objects;
};

/// A label in pixels: normalized · (width, height) + offset.
Object to_object(const Label& label, double width_px, double height_px, double offset_x,
                 double offset_y);
/// All labels, then the ignored regions; `weights` may be null.
std::vector<Object> to_objects(std::span<const Label> labels, const LabelWeights* weights,
                               double width_px, double height_px, double offset_x, double offset_y);
/// A picture, owned, with its labels; `weights` may be null.
Sample to_sample(cv::Mat picture, std::span<const Label> labels,
                 const LabelWeights* weights = nullptr);
/// The reverse of to_object, for a picture of that size.
Label to_label(const Object& object, cv::Size size);
/// Box and polygon points into [0, width] × [0, height].
void clip_object(Object& object, double width_px, double height_px);
/// Intersection with `box` as a share of each object's own area is below `limit` for all of them
/// (data 8.3, 8.7).
bool leaves_visible(std::span<const Object> objects, const Xyxy& box, double limit);
/// Positions of the objects that have a polygon.
std::vector<std::size_t> with_polygon(std::span<const Object> objects);

}  // namespace yolov7::dataset
