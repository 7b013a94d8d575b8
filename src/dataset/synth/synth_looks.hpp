#pragma once
// What makes drawn objects look like things: rims, domes, light, translucency; and crowds of one
// kind.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "core/random.hpp"

namespace yolov7::dataset {

/// Brightness over an object, grey levels, negative: darker.
struct Relief {
  double rim = 0;  ///< at the edge …
  double rim_width =
      0.2;  ///< … falling off (Gaussian) over this share of the largest distance to an edge
  double dome = 0;   ///< in the middle, rising with the distance to the edge
  double slope = 0;  ///< at the side that faces the light; the other side gets as much less …
  double light = 0;  ///< … which comes from this angle, radians
  double opacity = 1;
};

/// `separating`: rim or dome are strong enough to tell the object from one of the same colour below
/// it.
Relief random_relief(bool separating, double light, Random& random);
/// Adds the relief to `paint` (32-bit float B G R) of an object with the given coverage. The object
/// goes on beyond the sides of `roi` that are sides of the picture: no edge there.
void add_relief(cv::Mat& paint, const cv::Mat& coverage, const cv::Rect& roi, cv::Size picture,
                const Relief& relief);

/// All objects of one class in one picture: about one size and colour, one texture.
struct Kind {
  int class_index = 0;
  double share = 0.1;  ///< longer side as a share of the picture's
  cv::Vec3f colour;
  double texture = 0;  ///< amplitude, grey levels
  Relief relief;
  Random pattern{0, 0, 0, 0};  ///< copied for each object, so that all have the same pattern
};

}  // namespace yolov7::dataset
