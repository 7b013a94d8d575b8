#pragma once
// What a file of several images holds besides the one that is read.
#include <cstddef>
#include <string_view>

namespace yolov7 {

/// Further pages of a TIFF (smaller versions and masks of a page are none), frames of an animated
/// PNG, views of an MPO (panorama, disparity, angles; thumbnails and gain maps are none). 0 for
/// other formats, and as far as the file's tables cannot be read.
std::size_t further_images(std::string_view bytes);

}  // namespace yolov7
