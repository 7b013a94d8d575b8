#include "tests/dataset/similarity/changed_image.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/random.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset::similarity {
namespace {

cv::Mat linear(const cv::Mat& bgr, double gain, double offset) {
  cv::Mat result;
  bgr.convertTo(result, CV_8U, gain, offset);
  return result;
}

cv::Mat with_noise(const cv::Mat& bgr, std::uint64_t seed) {
  Random random(seed, 0, 0, 0x6E6F6973);
  cv::Mat result = bgr.clone();
  for (int y = 0; y < result.rows; ++y)
    for (int x = 0; x < result.cols * 3; ++x) {
      std::uint8_t& value = result.ptr(y)[x];
      value = static_cast<std::uint8_t>(
          std::clamp(std::lround(value + 10 * random.normal()), 0L, 255L));
    }
  return result;
}

cv::Mat cut(const cv::Mat& bgr, double share) {
  const int dx = static_cast<int>(std::lround(bgr.cols * share)),
            dy = static_cast<int>(std::lround(bgr.rows * share));
  return bgr(cv::Rect(dx, dy, bgr.cols - 2 * dx, bgr.rows - 2 * dy)).clone();
}

cv::Mat moved(const cv::Mat& bgr, int pixels) {
  cv::Mat result;
  cv::copyMakeBorder(bgr, result, pixels, 0, pixels, 0, cv::BORDER_REPLICATE);
  return result(cv::Rect(0, 0, bgr.cols, bgr.rows)).clone();
}

/// A white field with three red bars, 10 px from the lower right corner.
cv::Mat with_logo(const cv::Mat& bgr) {
  cv::Mat result = bgr.clone();
  const int x = result.cols - 130, y = result.rows - 50;
  const cv::Rect all(0, 0, result.cols, result.rows);
  result(cv::Rect(x, y, 120, 40) & all).setTo(cv::Scalar(255, 255, 255));
  for (int bar = 0; bar < 3; ++bar)
    result(cv::Rect(x + 12 + 36 * bar, y + 8, 24, 24) & all).setTo(cv::Scalar(0, 0, 200));
  return result;
}

}  // namespace

std::vector<Change> changes(std::uint64_t seed) {
  return {
      {"JPEG of quality 30",
       [](const cv::Mat& image) { return decode_picture(encode_jpeg(image, 30), "changed"); }},
      {"half the size",
       [](const cv::Mat& image) {
         cv::Mat result;
         cv::resize(image, result, {}, 0.5, 0.5, cv::INTER_AREA);
         return result;
       }},
      {"brightness + 30", [](const cv::Mat& image) { return linear(image, 1, 30); }},
      {"contrast × 1.3", [](const cv::Mat& image) { return linear(image, 1.3, -0.3 * 128); }},
      {"noise of σ 10", [seed](const cv::Mat& image) { return with_noise(image, seed); }},
      {"2 % cut from each side", [](const cv::Mat& image) { return cut(image, 0.02); }},
      {"5 % cut from each side", [](const cv::Mat& image) { return cut(image, 0.05); }},
      {"moved by 8 px", [](const cv::Mat& image) { return moved(image, 8); }},
      {"mirrored",
       [](const cv::Mat& image) {
         cv::Mat result;
         cv::flip(image, result, 1);
         return result;
       }},
      {"turned by 90°",
       [](const cv::Mat& image) {
         cv::Mat result;
         cv::rotate(image, result, cv::ROTATE_90_CLOCKWISE);
         return result;
       }},
      {"logo of 120 × 40 px", with_logo},
  };
}

}  // namespace yolov7::dataset::similarity
