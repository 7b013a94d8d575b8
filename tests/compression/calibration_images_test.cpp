// Files as the images of a calibration.
#include "compression/plan/calibration_images.hpp"

#include <gtest/gtest.h>

#include <opencv2/core/mat.hpp>

#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::compression;

// Of ten files four: places 0, 10 / 4, 20 / 4 and 30 / 4, rounded down.
TEST(CalibrationImages, SomeAreSpreadOverTheList) {
  std::vector<std::filesystem::path> all;
  for (int i = 0; i < 10; ++i) all.emplace_back(std::to_string(i));
  EXPECT_EQ(some_images(all, 4), (std::vector<std::filesystem::path>{"0", "2", "5", "7"}));
  EXPECT_EQ(some_images(all, 10), all);
  EXPECT_EQ(some_images(all, 300), all);
}

// 8 wide, 4 high, on 8 x 8: two rows of grey (114) above and below.
TEST(CalibrationImages, TheyAreLetterboxedOnFullSquares) {
  test::ScratchFolder scratch;
  const std::filesystem::path path = scratch / "wide.png";
  write_picture(path, cv::Mat(4, 8, CV_8UC3, cv::Scalar(10, 20, 30)));
  const CalibrationImages images = letterboxed({path}, 8, 8);
  EXPECT_EQ(images.count, 1U);
  EXPECT_EQ(images.name(0), path.string());
  std::vector<std::uint8_t> planes;
  images.load(0, planes);
  ASSERT_EQ(planes.size(), 3U * 64);
  const int colours[] = {30, 20, 10};  // red, green, blue
  for (std::size_t plane = 0; plane < 3; ++plane)
    for (std::size_t row = 0; row < 8; ++row)
      EXPECT_EQ(planes[plane * 64 + row * 8 + 3], row < 2 || row > 5 ? 114 : colours[plane])
          << plane << ' ' << row;
}
