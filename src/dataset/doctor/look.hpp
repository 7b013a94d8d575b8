#pragma once
// What the doctor measures of an image while it is decoded anyway: light, contrast, sharpness, and
// how it was stored (data-services D1).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/doctor/contrast.hpp"
#include "dataset/doctor/raw_rows.hpp"
#include "image/codec/codec.hpp"
#include "image/codec/planes.hpp"

namespace yolov7::dataset::doctor {

/// How the file holds its pixels, from its header alone.
struct StoredForm {
  PictureFormat format = PictureFormat::jpeg;
  int channels = 0;  ///< 1 gray, 3 colour, 4 CMYK or with alpha; 0 = not known
  int bits = 8;      ///< of a sample
  bool cmyk = false;
};

struct Look : BoxContrast {
  bool taken = false;  ///< nothing was measured where the image cannot be decoded
  StoredForm stored;
  bool gray = false;                     ///< all channels are equal
  double mean = 0, spread = 0;           ///< of the gray levels, 0 … 255
  double low = 0, middle = 0, high = 0;  ///< gray levels below which 1, 50 and 99 % of pixels lie
  /// ln of the energy of structures of 1 to 2 px against those of 2 to 4 px, and of 4 to 8 px. A
  /// sharp image has about as much in each octave; blur takes the finest away. 0 where the image is
  /// too small for the coarser ones.
  double fine_octave = 0, fine_octaves = 0;
};

StoredForm stored_form(std::string_view bytes);
/// `planes`: its pixels, as inspect_picture() hands them on. `rows`: the boxes of its label file.
Look look_at(std::string_view bytes, const PicturePlanes& planes, const std::vector<RawRow>& rows);

}  // namespace yolov7::dataset::doctor
