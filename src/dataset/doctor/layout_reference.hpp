#pragma once
// What the files of a set that follow the format say about its boxes: against it other files are
// judged (file_causes.hpp).
#include <array>
#include <cstddef>
#include <vector>

#include "dataset/doctor/row_file.hpp"
#include "dataset/doctor/size_model.hpp"

namespace yolov7::dataset::doctor {

using Scores = std::array<double, layout_count>;

/// Mean and deviation of values: their median, and 1.4826 times the median absolute deviation from
/// it, which is the standard deviation of a normal distribution.
struct Normal {
  double mean = 0, deviation = 0;
  bool known() const { return deviation > 0; }
  double log_density(double value) const {
    const double z = (value - mean) / deviation;
    return -z * z / 2;
  }
};

/// What the files that follow the format say about sizes, and about how boxes stand out.
struct Reference {
  SizeModel sizes;
  Normal contrast;                           ///< of ln(contrast) of boxes as they are
  std::array<Normal, layout_count> ratio{};  ///< of ln(contrast under a layout / as they are)
  /// ln((1 - p) / p), where a box that is right stands out less than under a layout with the
  /// probability p; 0 where it is not known.
  Scores vote{};
  Scores prior{};
  std::array<std::size_t, layout_count> found{};  ///< files of each cause, first time
};

bool is_whole(const RowFile& file);
float contrast_of(const RowFile& file, std::size_t layout);

/// Whose images say how boxes stand out: those that were measured whole, or all. Of sizes all say.
enum class Measured { whole, any };
Reference learn(const std::vector<RowFile>& files, Measured measured);

}  // namespace yolov7::dataset::doctor
