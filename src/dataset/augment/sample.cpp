#include "dataset/augment/sample.hpp"

#include <algorithm>
#include <utility>

namespace yolov7::dataset {

Object to_object(const Label& label, double width_px, double height_px, double offset_x,
                 double offset_y) {
  Object object;
  object.class_index = label.class_index;
  object.box = to_pixels(label.box, width_px, height_px);
  object.box = {object.box.x1 + offset_x, object.box.y1 + offset_y, object.box.x2 + offset_x,
                object.box.y2 + offset_y};
  object.polygon.reserve(label.polygon.size());
  for (const cv::Point2d& p : label.polygon)
    object.polygon.emplace_back(p.x * width_px + offset_x, p.y * height_px + offset_y);
  return object;
}

std::vector<Object> to_objects(std::span<const Label> labels, const LabelWeights* weights,
                               double width_px, double height_px, double offset_x,
                               double offset_y) {
  std::vector<Object> objects;
  objects.reserve(labels.size());
  for (const Label& label : labels)
    objects.push_back(to_object(label, width_px, height_px, offset_x, offset_y));
  if (weights == nullptr) return objects;
  for (std::size_t i = 0; i < weights->weights.size(); ++i) objects[i].weight = weights->weights[i];
  for (const CxcywhNormalized& box : weights->ignored) {
    objects.push_back(to_object({0, box, {}}, width_px, height_px, offset_x, offset_y));
    objects.back().ignored = true;
  }
  return objects;
}

Sample to_sample(cv::Mat picture, std::span<const Label> labels, const LabelWeights* weights) {
  Sample sample{std::move(picture), {}};
  sample.objects = to_objects(labels, weights, sample.picture.cols, sample.picture.rows, 0, 0);
  return sample;
}

Label to_label(const Object& object, cv::Size size) {
  Label label;
  label.class_index = object.class_index;
  label.box = to_normalized(object.box, size.width, size.height);
  label.polygon.reserve(object.polygon.size());
  for (const cv::Point2d& p : object.polygon)
    label.polygon.emplace_back(p.x / size.width, p.y / size.height);
  return label;
}

void clip_object(Object& object, double width_px, double height_px) {
  object.box = clip(object.box, width_px, height_px);
  for (cv::Point2d& p : object.polygon)
    p = {std::clamp(p.x, 0.0, width_px), std::clamp(p.y, 0.0, height_px)};
}

bool leaves_visible(std::span<const Object> objects, const Xyxy& box, double limit) {
  return std::all_of(objects.begin(), objects.end(), [&](const Object& object) {
    return intersection_area(object.box, box) / (object.box.area() + 1e-16) < limit;
  });
}

std::vector<std::size_t> with_polygon(std::span<const Object> objects) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (!objects[i].polygon.empty()) positions.push_back(i);
  return positions;
}

}  // namespace yolov7::dataset
