#pragma once
// Whether two images show the same, from their sketches (data-services D2).
#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

struct Likeness {
  double correlation = 0;  ///< of the two structures at the best alignment (cut, symmetry, shift)
  /// Number of the 8 × 8 blocks that exceed the noise level in at least one image, there.
  int blocks = 0;
  double agreeing = 0;  ///< share of these blocks that correlate by more than 0.5
  double middle = 0;    ///< median of the correlations of these blocks
  /// Root mean square difference of the colours over the 80 % of pixels that differ least.
  double colour = 0;
  /// What gain and offset of one image's gray levels do not explain of the other's, at the best
  /// alignment to a part of a px: root mean square over all but the worst 3 % of the pixels, over
  /// the deviation of the levels (plus 4). Edges that do not lie on one another count here.
  double unexplained = 0;
  /// How many changes it takes to make one image of the other: a symmetry, a cut of 3 % and more, a
  /// move of 2 px and more, another contrast, other colours.
  double changes = 0;
  bool near = false;  ///< the same content: a copy that was changed, or the same scene once more
};

/// Compares the two images under each likely symmetry of the square (chosen on 32 × 32 px), each
/// shift of at most 4 of 64 px, and each cut of one of the two by 1 to 6 %. `near` is false if one
/// of the sketches is plain.
Likeness compare(const Sketch& a, const Sketch& b);

}  // namespace yolov7::dataset::similarity
