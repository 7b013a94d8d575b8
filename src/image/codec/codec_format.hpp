#pragma once
// What the format modules codec_{jpeg,png,bmp,webp,tiff} have in common: each gives, for one
// picture in memory,
//   read_header   size and orientation from the header alone, nothing of the picture's size
//   allocated; decode        8-bit B G R in stored orientation; called only after the size passed
//   the limits; encode        the bytes of a file.
// All throw Error with `source` in front.
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace yolov7 {

struct StoredHeader {
  std::uint64_t width = 0, height = 0;  ///< as stored, before orientation
  int orientation = 1;                  ///< EXIF, 1 … 8
};

/// Rows of a picture whose file ends too soon, in stored orientation and whole size. 0 of 0: the
/// file has its end.
struct DecodedRows {
  int decoded = 0, expected = 0;
  bool whole() const { return expected == 0; }
};

struct StoredPicture {
  cv::Mat pixels;  ///< rows that were not decoded are gray (114)
  DecodedRows rows;
};

[[noreturn]] inline void picture_error(const std::string& source, const std::string& what) {
  throw Error(source + ": " + what);
}

}  // namespace yolov7
