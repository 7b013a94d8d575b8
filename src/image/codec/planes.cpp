#include "image/codec/planes.hpp"

#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/codec/exif.hpp"

namespace yolov7 {
namespace {

constexpr unsigned char no_colour = 128;

/// One step of Cb or Cr is 1.4 to 1.8 levels between two channels: less than rounding makes.
bool has_no_colour(const cv::Mat& plane) {
  constexpr int tolerance = 1;
  for (int y = 0; y < plane.rows; ++y) {
    const unsigned char* row = plane.ptr(y);
    for (int x = 0; x < plane.cols; ++x)
      if (std::abs(row[x] - no_colour) > tolerance) return false;
  }
  return true;
}

bool is_gray(const cv::Mat& bgr) {
  constexpr int tolerance = 2;
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* row = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x)
      if (std::abs(row[x][0] - row[x][1]) > tolerance ||
          std::abs(row[x][1] - row[x][2]) > tolerance)
        return false;
  }
  return true;
}

}  // namespace

PicturePlanes joined_planes(const jpeg::StoredPlanes& stored, int orientation) {
  PicturePlanes planes;
  planes.orientation = orientation;
  planes.rows = stored.rows;
  planes.luma = apply_orientation(stored.luma, orientation);
  if (stored.blue.empty()) {
    planes.blue = cv::Mat(1, 1, CV_8UC1, cv::Scalar(no_colour));
    planes.red = planes.blue;
    planes.gray = true;
    return planes;
  }
  planes.blue = apply_orientation(stored.blue, orientation);
  planes.red = apply_orientation(stored.red, orientation);
  planes.gray = has_no_colour(stored.blue) && has_no_colour(stored.red);
  return planes;
}

PicturePlanes planes_of(const cv::Mat& bgr) {
  PicturePlanes planes;
  planes.width = bgr.cols, planes.height = bgr.rows;
  planes.gray = is_gray(bgr);
  cv::cvtColor(bgr, planes.luma, cv::COLOR_BGR2GRAY);
  cv::Mat half, colours;
  cv::resize(bgr, half, {(bgr.cols + 1) / 2, (bgr.rows + 1) / 2}, 0, 0, cv::INTER_LINEAR);
  cv::cvtColor(half, colours, cv::COLOR_BGR2YCrCb);
  cv::extractChannel(colours, planes.red, 1);
  cv::extractChannel(colours, planes.blue, 2);
  return planes;
}

}  // namespace yolov7
