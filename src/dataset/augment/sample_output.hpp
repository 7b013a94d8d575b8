#pragma once
// The last steps of a sample (data 8.1 steps 8 and 9, data 9): normalized targets, quad collation.
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "dataset/augment/picture_passes.hpp"
#include "dataset/augment/sample.hpp"
#include "dataset/batch.hpp"

namespace yolov7::dataset {

/// (0, class, cx, cy, w, h) normalized to the picture's size; flips reflect the centres. Ignored
/// regions are no targets.
std::vector<std::array<float, 6>> write_targets(std::span<const Object> objects, cv::Size picture,
                                                Flips flips);
/// Weights of the same targets, where one is not 1, and the ignored regions of the picture.
TargetMarks write_marks(std::span<const Object> objects, cv::Size picture, Flips flips);

/// Four samples of `height` × `width` as one of twice the side. `alone`: the first, enlarged
/// bilinearly (half-pixel centres), its labels unchanged; else first top left, second bottom left,
/// third top right, fourth bottom right. `samples` and `planes` hold R G B planes; column 0 of the
/// targets is left alone.
void quad_planes(const std::uint8_t* samples, int height, int width, bool alone,
                 std::uint8_t* planes);
std::vector<std::array<float, 6>> quad_targets(
    std::span<const std::vector<std::array<float, 6>>, 4> targets, bool alone);
/// The marks of these targets; `counts`: of the targets of the four.
TargetMarks quad_marks(std::span<const TargetMarks, 4> marks,
                       std::span<const std::size_t, 4> counts, bool alone);

}  // namespace yolov7::dataset
