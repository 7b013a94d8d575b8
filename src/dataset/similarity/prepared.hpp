#pragma once
// What is computed of a sketch for comparisons, kept for many of them (likeness.hpp).
#include <array>
#include <opencv2/core/mat.hpp>

#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

struct Likeness;

/// Shares cut from each side that compare() tries: finer steps than those of the directions,
/// because a difference of 1 % in scale is enough to misalign fine textures.
inline constexpr std::array<double, 7> fine_cuts = {0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06};
/// Those of a first look at 32 × 32 px.
inline constexpr std::array<double, 3> scan_cuts = {0, 0.03, 0.06};
inline constexpr int symmetries = 8;

/// Each of these is computed when it is first asked for, so one thread uses it at a time. `sketch`
/// must outlive this object.
class Prepared {
 public:
  explicit Prepared(const Sketch& sketch) : sketch_(&sketch) {}

  const Sketch& sketch() const { return *sketch_; }
  const cv::Mat1f& gray(std::size_t cut);
  const cv::Mat1f& band(std::size_t cut);
  const cv::Mat1f& structure(std::size_t cut);
  /// Fourier transforms of the structure, and of the small one in a symmetry of the square.
  const cv::Mat1f& spectrum(std::size_t cut);
  const cv::Mat1f& scan(std::size_t cut, int symmetry);

 private:
  using Cuts = std::array<cv::Mat1f, fine_cuts.size()>;
  const Sketch* sketch_;
  Cuts grays_, bands_, structures_, spectra_;
  cv::Mat1f small_;
  std::array<std::array<cv::Mat1f, symmetries>, scan_cuts.size()> scans_;
};

/// As compare() of the sketches.
Likeness compare(Prepared& a, Prepared& b);

}  // namespace yolov7::dataset::similarity
