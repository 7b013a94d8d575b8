#pragma once
// Random perspective and the box-candidate filter (data 8.4).
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "dataset/augment/augment.hpp"
#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

/// The drawn values, in the order in which they are drawn. Angles in degrees, translations as
/// fractions of the output.
struct PerspectiveDraws {
  double p31 = 0, p32 = 0;
  double angle = 0, scale = 1;
  double shear_x = 0, shear_y = 0;
  double translate_x = 0.5, translate_y = 0.5;
};

/// scale ~ U(1 − c, 1.1 + c) (data K16).
PerspectiveDraws draw_perspective(const AugmentOptions& options, Random& random);
/// M = T · S · R · P · C, source → destination.
cv::Matx33d perspective_matrix(const PerspectiveDraws& draws, cv::Size input, cv::Size output);

/// The closed polygon at `count` equal steps of the point index.
std::vector<cv::Point2d> resample_closed(std::span<const cv::Point2d> polygon, int count);
/// Extent of the four transformed corners, clipped to the output.
Xyxy warp_box(const Xyxy& box, const cv::Matx33d& m, bool projective, cv::Size output);
/// Extent of those of 1000 points of the outline that fall into the output (data K17); all zero if
/// none does.
Xyxy warp_polygon(std::span<const cv::Point2d> polygon, const cv::Matx33d& m, bool projective,
                  cv::Size output);

inline constexpr double box_area_share = 0.10, polygon_area_share = 0.01;
/// Both sides > 2 px, area(after) / area(before) > `area_share`, aspect ratio < 20. `before` is
/// already scaled.
bool is_box_candidate(const Xyxy& before, const Xyxy& after, double area_share);

struct PerspectiveStep {
  PerspectiveDraws draws;
  bool projective = false;   ///< the option `perspective` is not 0
  bool use_polygons = true;  ///< off: all boxes by their corners (single-image samples, data K18)
  cv::Size output;
};

/// The candidates among the objects, as boxes; `m` is the step's matrix.
std::vector<Object> warp_objects(const std::vector<Object>& objects, const PerspectiveStep& step,
                                 const cv::Matx33d& m);
/// The part of a picture of this size on which the pixels of an affine step's output depend; empty
/// where it is none.
cv::Rect source_part(const PerspectiveStep& step, cv::Size input);
/// Whether a picture of this size comes out of the step as it is.
bool changes_nothing(const PerspectiveStep& step, cv::Size input, const cv::Matx33d& m);
/// Warps bilinearly with border 114 (not at all if it would change nothing) and keeps the
/// candidates. The result has no polygons: no later step (data 8) uses them. `canvas` is memory to
/// draw into; nobody else may use it.
Sample random_perspective(const Sample& sample, const PerspectiveStep& step, cv::Mat canvas = {});

}  // namespace yolov7::dataset
