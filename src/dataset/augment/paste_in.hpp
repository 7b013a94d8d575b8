#pragma once
// Paste-in: outlined objects of other pictures at random places (data 8.7).
#include <span>
#include <vector>

#include "core/random.hpp"
#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

struct PasteSource {
  int class_index = 0;
  cv::Mat picture, mask;  ///< 8-bit B G R, and 255 inside the outline; same size
  float weight = 1;       ///< of the label
};

inline constexpr std::size_t paste_sources_wanted = 30;

/// Cuts the chosen objects of a mosaic out; those whose whole-pixel box is empty are left out.
std::vector<PasteSource> cut_sources(const Sample& mosaic, std::span<const std::size_t> chosen);
/// Pastes `source` into `place` (upper left corner kept, size reduced to the source's aspect ratio)
/// and appends its label, if the result is larger than 10 px both ways and its mask has more than
/// 20 pixels (data K20). Inside the mask the true pixels are used (data F21). Changes the picture
/// in place. Returns whether it pasted.
bool paste_one(Sample& sample, const PasteSource& source, const cv::Rect& place);
/// The twenty tries. Does nothing without sources, but draws all the same.
void paste_in(Sample& sample, std::span<const PasteSource> sources, Random& random);

}  // namespace yolov7::dataset
