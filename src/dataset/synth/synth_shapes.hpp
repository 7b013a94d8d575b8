#pragma once
// The outlines of the built-in generator. A pixel (i, j) covers [i, i + 1) × [j, j + 1).
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::dataset {

enum class Shape { circle, square, triangle, star, cross, ring, hexagon, crescent };
using Outline = std::vector<cv::Point2d>;

std::string shape_name(Shape shape);
/// Around the origin, circumscribed radius 1. The ring is one outline with a seam between its two
/// edges.
Outline shape_outline(Shape shape);
/// Stretched by `stretch` along x, scaled, turned clockwise on screen by `angle` radians, moved to
/// `centre`.
Outline place_outline(const Outline& outline, cv::Point2d centre, double scale, double stretch,
                      double angle);
/// The part inside [0, width] × [0, height] (Sutherland and Hodgman 1974); empty if there is none.
Outline clip_outline(const Outline& outline, double width, double height);
/// The smallest box around the points; of no points (∞, ∞, −∞, −∞).
Xyxy outline_extent(std::span<const cv::Point2d> outline);
double outline_area(std::span<const cv::Point2d> outline);  ///< even-odd for the shapes above
/// Share of each pixel of `roi` inside the outline (even-odd), 0 … 1 as 32-bit float: four lines
/// per row, exact along x.
cv::Mat outline_coverage(std::span<const cv::Point2d> outline, const cv::Rect& roi);

}  // namespace yolov7::dataset
