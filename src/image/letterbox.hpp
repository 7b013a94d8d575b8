#pragma once
// Letterbox and its inverse (data 7.2).
#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7 {

struct LetterboxOptions {
  bool automatic = true;  ///< smallest stride-aligned rectangle instead of the full target
  bool fill = false;      ///< stretch, no padding; without effect where `automatic`
  bool scale_up = true;   ///< may enlarge
  int stride = 32;
};

/// Where a picture lies in its letterboxed form. `target` is the size of that form: in the
/// automatic mode it may be smaller than the target asked for. `dw`, `dh` are the unrounded pads
/// per side, top … right the pixels padded.
struct Letterbox {
  cv::Size source, target, resized;
  double ratio_x = 1, ratio_y = 1, dw = 0, dh = 0;
  int top = 0, bottom = 0, left = 0, right = 0;
};

inline constexpr int letterbox_grey = 114;

/// cv::Size::area() is an int, which images of 46,341 px a side leave.
inline std::size_t pixels_of(cv::Size size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

/// Geometry alone; `target` is width × height in pixels. Error: a side or the stride below 1.
Letterbox letterbox_geometry(cv::Size source, cv::Size target, const LetterboxOptions& options);
/// 8-bit 3-channel picture, resized bilinearly where the size differs, borders (114, 114, 114).
/// Error: another type or size than the geometry was made for.
cv::Mat letterbox(const cv::Mat& picture, const Letterbox& geometry);
/// The R, G and B planes of what letterbox() gives, 3 × target height × target width bytes, without
/// that picture in between. Errors as there.
void letterbox_planes(const cv::Mat& bgr, const Letterbox& geometry, std::uint8_t* planes);
/// 8-bit B G R pixels → R, G and B planes; `planes` is resized to 3 × height × width bytes.
/// Error: another type.
void to_planes(const cv::Mat& bgr, std::vector<std::uint8_t>& planes);
/// From letterboxed pixels to the original, clipped: gain = min(h1/h0, w1/w0), pad = what is left
/// (evaluation 3.4). Sizes of at least 1 px, which are not checked.
Xyxy to_original(const Xyxy& letterboxed, cv::Size letterboxed_size, cv::Size original_size);

/// (⌊w·r⌋, ⌊h·r⌋) with r = s / max(w, h), at least 1 px (data K08). `s`: the longer side, px.
cv::Size resized_size(cv::Size original, int s);

}  // namespace yolov7
