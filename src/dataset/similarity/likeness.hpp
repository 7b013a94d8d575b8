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
  /// Gray levels of one image that no gain and offset of the other one's explain: root mean square
  /// over the 80 % of pixels that they explain best, over the deviation of the levels (plus 4).
  /// Shading counts here, which the structure leaves out. Only where the rest says near, else 0.
  double unexplained = 0;
  bool near = false;  ///< the same content: a copy that was changed, or the same scene once more
};

/// Shares cut from each side that compare() tries: finer steps than those of the directions,
/// because a difference of 1 % in scale is enough to misalign fine textures.
inline constexpr std::array<double, 7> fine_cuts = {0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06};

/// The bands and structures of one sketch, each computed when it is first asked for and then kept
/// for further comparisons: from one thread at a time. `sketch` must outlive this object.
class Prepared {
 public:
  explicit Prepared(const Sketch& sketch) : sketch_(&sketch) {}

 private:
  friend Likeness compare(Prepared& a, Prepared& b);
  const cv::Mat1f& gray(std::size_t cut);
  const cv::Mat1f& band(std::size_t cut);
  const cv::Mat1f& structure(std::size_t cut);
  const cv::Mat1f& spectrum(std::size_t cut);
  const cv::Mat1f& coarse();

  using Cuts = std::array<cv::Mat1f, fine_cuts.size()>;
  const Sketch* sketch_;
  Cuts grays_, bands_, structures_, spectra_;
  cv::Mat1f coarse_;
};

/// Compares the two images under each likely symmetry of the square (chosen on 16 × 16 px), each
/// shift of at most 4 of 64 px, and each cut of one of the two. `near` is false if one of the
/// sketches is plain.
Likeness compare(Prepared& a, Prepared& b);
Likeness compare(const Sketch& a, const Sketch& b);

}  // namespace yolov7::dataset::similarity
