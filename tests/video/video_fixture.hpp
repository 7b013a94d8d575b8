#pragma once
// The video library as the program loads it, and frames that say which they are.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "runtime/frames/video.hpp"
#include "tests/scratch_folder.hpp"

extern "C" const yolov7::runtime::VideoLibrary* yolov7_video_library();

namespace yolov7::testing {

/// Sixteen squares in two rows, black or white: the bits of a number, which survive any codec.
inline cv::Mat numbered_frame(unsigned number, cv::Size size = {256, 64}) {
  cv::Mat frame(size, CV_8UC3, cv::Scalar::all(0));
  const int w = size.width / 8, h = size.height / 2;
  for (int bit = 0; bit < 16; ++bit)
    if (number >> bit & 1)
      frame(cv::Rect(bit % 8 * w, bit / 8 * h, w, h)).setTo(cv::Scalar::all(255));
  return frame;
}
inline unsigned number_of(const cv::Mat& frame) {
  const int w = frame.cols / 8, h = frame.rows / 2;
  unsigned number = 0;
  for (int bit = 0; bit < 16; ++bit)
    if (cv::mean(frame(cv::Rect(bit % 8 * w + w / 4, bit / 8 * h + h / 4, w / 2, h / 2)))[0] > 127)
      number |= 1u << bit;
  return number;
}

}  // namespace yolov7::testing
