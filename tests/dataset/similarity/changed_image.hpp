#pragma once
// The eleven changes that a near duplicate must survive (data-services D2).
#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace yolov7::dataset::similarity {

struct Change {
  std::string name;
  std::function<cv::Mat(const cv::Mat& bgr)> apply;
};

/// JPEG of quality 30, half the size, brightness + 30, contrast × 1.3, noise of σ 10 (by `seed`), 2
/// and 5 % cut from each side, moved by 8 px, mirrored, turned by 90°, a logo of 120 × 40 px.
std::vector<Change> changes(std::uint64_t seed);

}  // namespace yolov7::dataset::similarity
