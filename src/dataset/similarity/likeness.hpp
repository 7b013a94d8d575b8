#pragma once
// Whether two images show the same, from their sketches (data-services D2).
#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

struct Likeness {
  double correlation = 0;  ///< of their structures, at the best of cuts, symmetries and moves
  int blocks = 0;          ///< of 64 that are more than noise, there
  double agreeing = 0;     ///< share of those that correlate by more than 0.5
  double middle = 0;       ///< median correlation of those
  double colour = 0;       ///< root mean square difference of their colours without the worst fifth
  bool near = false;  ///< the same content: a copy that was changed, or the same scene once more
};

/// Shares cut from each side that compare() tries: finer steps than those of the directions, since
/// one per cent of the scale parts fine textures.
inline constexpr std::array<double, 7> fine_cuts = {0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06};

/// Everything that compare() computes of one image alone.
class Prepared {
 public:
  explicit Prepared(const Sketch& sketch);

 private:
  friend Likeness compare(const Prepared& a, const Prepared& b);
  const Sketch* sketch_;
  std::array<cv::Mat1f, fine_cuts.size()> bands_, structures_;
  cv::Mat1f coarse_;
};

/// All eight symmetries, moves of up to 4 px of 64, and cuts of one of the two. Plain images are
/// near to nothing.
Likeness compare(const Prepared& a, const Prepared& b);
Likeness compare(const Sketch& a, const Sketch& b);

}  // namespace yolov7::dataset::similarity
