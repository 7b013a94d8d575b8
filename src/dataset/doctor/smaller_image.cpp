#include "dataset/doctor/smaller_image.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset::doctor {

cv::Mat at_most(const cv::Mat& image, int side) {
  cv::Mat half = image;  // halves are made far quicker than other sizes
  while (half.cols % 2 == 0 && half.rows % 2 == 0 && std::max(half.cols, half.rows) >= 2 * side) {
    cv::Mat smaller;
    cv::resize(half, smaller, cv::Size(half.cols / 2, half.rows / 2), 0, 0, cv::INTER_AREA);
    half = smaller;
  }
  const double scale = static_cast<double>(side) / std::max(half.cols, half.rows);
  if (scale >= 1) return half;
  cv::Mat small;
  cv::resize(half, small,
             cv::Size(std::max(1, static_cast<int>(std::lround(half.cols * scale))),
                      std::max(1, static_cast<int>(std::lround(half.rows * scale)))),
             0, 0, cv::INTER_AREA);
  return small;
}

}  // namespace yolov7::dataset::doctor
