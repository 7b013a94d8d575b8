#pragma once
// How far the boxes of a label file stand out from what lies around them, under each layout of its
// rows: what an image says about layouts (data-services D1). Two measures of the same: a quick one
// of every image, which tells where there is nothing to decide, and one of the whole image, which
// alone decides.
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/doctor/layouts.hpp"
#include "dataset/doctor/raw_rows.hpp"
#include "image/codec/planes.hpp"

namespace yolov7::dataset::doctor {

struct BoxContrast {
  /// Per layout: how far the boxes stand out from what lies around them, mean over the boxes; and
  /// over how many boxes. Only for layouts under which every row of the file is a box.
  std::array<float, layout_count> contrast{};
  int boxes = 0;
  /// Whether contrast and votes were measured on all pixels; only such decide.
  bool whole = false;
  /// Per layout: how many of these boxes stand out more than under the format's own; -1 where they
  /// were not compared.
  std::array<std::int16_t, layout_count> votes = no_votes();

  static constexpr std::array<std::int16_t, layout_count> no_votes() {
    std::array<std::int16_t, layout_count> votes{};
    votes.fill(-1);
    return votes;
  }
};

/// Whether a row is no box of the format, so that its layout is asked for.
bool has_odd_row(const std::vector<RawRow>& rows);
/// Of the planes, which may be those of a JPEG decoded at a fraction. `spread`: the deviation of
/// the gray levels.
BoxContrast quick_contrast(const PicturePlanes& planes, const std::vector<RawRow>& rows,
                           double spread);
/// Of all pixels, 8-bit B G R, brought to a long side of 256 px by means over areas.
BoxContrast whole_contrast(const cv::Mat& bgr, const std::vector<RawRow>& rows);
/// The same of an encoded image. Errors as decode_picture().
BoxContrast whole_contrast(std::string_view bytes, const std::string& source,
                           const std::vector<RawRow>& rows);

}  // namespace yolov7::dataset::doctor
