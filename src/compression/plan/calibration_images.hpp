#pragma once
// Files as the images of a calibration.
#include <cstddef>
#include <filesystem>
#include <vector>

#include "compression/plan/calibration.hpp"

namespace yolov7::compression {

/// What is taken of a set unless an option says otherwise.
inline constexpr std::size_t usual_images = 300;
/// So many, spread over the list.
std::vector<std::filesystem::path> some_images(std::vector<std::filesystem::path> images,
                                               std::size_t count);
/// On full squares (or height × width), as a file of one size gets them.
CalibrationImages letterboxed(std::vector<std::filesystem::path> images, int height, int width);

}  // namespace yolov7::compression
