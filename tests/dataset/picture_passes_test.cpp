// The passes over a training picture next to OpenCV, and to formulas in whole numbers, in every
// version that this processor runs.
#include "dataset/augment/picture_passes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <random>

namespace yolov7::dataset {
namespace {

std::vector<InstructionSet> available_sets() {
  std::vector<InstructionSet> sets{InstructionSet::portable};
  if (best_instruction_set() != InstructionSet::portable) sets.push_back(InstructionSet::avx2);
  if (best_instruction_set() == InstructionSet::avx512) sets.push_back(InstructionSet::avx512);
  return sets;
}

cv::Mat noise(int width, int height, int seed) {
  cv::Mat picture(height, width, CV_8UC3);
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  return picture;
}

cv::Mat opencv_warp(const cv::Mat& source, const cv::Matx33d& m, cv::Size output) {
  cv::Mat warped;
  cv::warpAffine(source, warped, m.get_minor<2, 3>(0, 0), output, cv::INTER_LINEAR,
                 cv::BORDER_CONSTANT, cv::Scalar::all(114));
  return warped;
}

bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0;
}

// Rotated, sheared, mirrored, enlarged, beyond every side; level rows, which take a way of their
// own; widths around the sixteen of a vector.
TEST(AffineWarp, HasThePixelsOfOpenCv) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> of(-1, 1);
  for (int i = 0; i < 120; ++i) {
    const cv::Mat source =
        noise(20 + static_cast<int>(random() % 90), 20 + static_cast<int>(random() % 90), i);
    const cv::Size output(1 + static_cast<int>(random() % 100),
                          1 + static_cast<int>(random() % 40));
    const bool level = i % 3 == 0;
    const double angle = level ? 0 : 3 * of(random), scale = std::exp(of(random)),
                 mirrored = i % 5 == 0 ? -1 : 1;
    const cv::Matx33d m(mirrored * scale * std::cos(angle), scale * std::sin(angle),
                        60 * of(random) + (mirrored < 0 ? source.cols : 0),
                        -scale * std::sin(angle), scale * std::cos(angle), 60 * of(random), 0, 0,
                        1);
    ASSERT_TRUE(equal(warp_affine(source, m, output, {}), opencv_warp(source, m, output))) << i;
  }
  const cv::Mat single = noise(1, 1, 3);
  EXPECT_TRUE(equal(warp_affine(single, cv::Matx33d(4, 0, 2, 0, 4, 2, 0, 0, 1), {16, 16}, {}),
                    opencv_warp(single, cv::Matx33d(4, 0, 2, 0, 4, 2, 0, 0, 1), {16, 16})));
  const cv::Mat part = noise(90, 70, 4)(cv::Rect(10, 5, 50, 40));  // rows with a distance
  const cv::Matx33d m(1.3, 0.1, -5, 0.2, 0.8, 3, 0, 0, 1);
  EXPECT_TRUE(equal(warp_affine(part, m, {64, 48}, {}), opencv_warp(part.clone(), m, {64, 48})));
}

// A hundred-thousandth of the width: column i shows x = 100,000 (i - 32) of the source, which at
// the ends needs more than 32 bits in 1/1024 px. Only column 32 meets the source, exactly.
TEST(AffineWarp, OfNearlyNoWidthReadsNothingOutsideTheSource) {
  const cv::Mat source = noise(64, 48, 6);
  const cv::Matx33d m(1e-5, 0, 32, 0, 1, 0, 0, 0, 1);
  cv::Mat expected(48, 64, CV_8UC3, cv::Scalar::all(114));
  source.col(0).copyTo(expected.col(32));
  EXPECT_TRUE(equal(warp_affine(source, m, {64, 48}, {}), expected));
}

TEST(PictureRows, WarpsAlikeInEveryInstructionSet) {
  const cv::Mat source = noise(300, 40, 1);
  std::vector<std::int32_t> dx(150), dy(150), flat(150, 0);
  for (std::size_t i = 0; i < dx.size(); ++i)
    dx[i] = static_cast<std::int32_t>(1900 * i), dy[i] = static_cast<std::int32_t>(200 * i);
  for (const InstructionSet set : available_sets()) {
    const kernels::PictureRows rows = kernels::picture_rows(set);
    for (const bool level : {false, true})
      for (const auto& [from, to] :
           {std::pair(0, 150), std::pair(3, 20), std::pair(7, 7), std::pair(10, 26)}) {
        std::vector<std::uint32_t> words(150, 0xAAAAAAAA);
        std::vector<std::uint16_t> scratch(1000);
        const kernels::WarpRow row{source.data,  static_cast<std::ptrdiff_t>(source.step[0]),
                                   dx.data(),    level ? flat.data() : dy.data(),
                                   5000,         3000,
                                   words.data(), scratch.data()};
        (level ? rows.warp_level : rows.warp)(row, from, to);
        for (int i = 0; i < 150; ++i) {
          std::uint32_t expected = 0xAAAAAAAA;
          if (i >= from && i < to) {
            const int px = (5000 + dx[static_cast<std::size_t>(i)]) >> 5,
                      py = (3000 + (level ? 0 : dy[static_cast<std::size_t>(i)])) >> 5, a = px % 32,
                      b = py % 32;
            expected = 0;
            for (int c = 0; c < 3; ++c) {
              const auto at = [&](int x, int y) {
                return static_cast<int>(source.at<cv::Vec3b>(py / 32 + y, px / 32 + x)[c]);
              };
              expected |= static_cast<std::uint32_t>(
                              ((32 - a) * (32 - b) * at(0, 0) + a * (32 - b) * at(1, 0) +
                               (32 - a) * b * at(0, 1) + a * b * at(1, 1) + 512) /
                              1024)
                          << (8 * c);
            }
          }
          ASSERT_EQ(words[static_cast<std::size_t>(i)], expected)
              << i << ' ' << static_cast<int>(set) << level;
        }
      }
  }
}

// Every fifth value of every channel and the last: OpenCV's own conversion, bit by bit.
TEST(PictureRows, HsvIsOpenCvs) {
  std::vector<int> values;
  for (int v = 0; v < 256; v += 5) values.push_back(v);
  values.insert(values.end(), {1, 2, 127, 128, 254});
  cv::Mat picture(1, static_cast<int>(values.size() * values.size() * values.size()), CV_8UC3), hsv;
  int at = 0;
  for (const int b : values)
    for (const int g : values)
      for (const int r : values)
        picture.at<cv::Vec3b>(0, at++) =
            cv::Vec3b(static_cast<uchar>(b), static_cast<uchar>(g), static_cast<uchar>(r));
  cv::cvtColor(picture, hsv, cv::COLOR_BGR2HSV);
  for (const InstructionSet set : available_sets()) {
    std::vector<std::uint32_t> words(padded_words(picture.cols));
    words_of(picture.ptr(), picture.cols, words.data());
    kernels::picture_rows(set).to_hsv(words.data(), static_cast<int>(words.size()));
    cv::Mat ours(1, picture.cols, CV_8UC3);
    bytes_of(words.data(), picture.cols, ours.ptr());
    EXPECT_TRUE(equal(ours, hsv)) << static_cast<int>(set);
  }
}

// All hues, saturations and values: v (1 − s (1 − c)) in fractions of 7650, rounded to nearest,
// halves up. c is by sectors here, as in Smith's paper.
TEST(PictureRows, BackFromHsvIsRoundedOnce) {
  std::vector<std::uint32_t> words(65536), back;
  for (int h = 0; h < 180; ++h) {
    for (std::uint32_t i = 0; i < 65536; ++i) words[i] = static_cast<std::uint32_t>(h) | i << 8;
    const int sector = h / 30, rest = h % 30;
    for (const InstructionSet set : available_sets()) {
      back = words;
      kernels::picture_rows(set).from_hsv(back.data(), 65536);
      for (std::uint32_t i = 0; i < 65536; ++i) {
        const int s = static_cast<int>(i & 255), v = static_cast<int>(i >> 8);
        const auto rounded = [&](int factor) {
          return static_cast<std::uint32_t>((2 * v * factor + 7650) / 15300);
        };
        const std::uint32_t full = static_cast<std::uint32_t>(v), none = rounded(7650 - 30 * s),
                            falls = rounded(7650 - s * rest),
                            rises = rounded(7650 - s * (30 - rest));
        const std::uint32_t b = sector < 2 ? none : sector == 2 ? rises : sector < 5 ? full : falls;
        const std::uint32_t g = sector == 0   ? rises
                                : sector < 3  ? full
                                : sector == 3 ? falls
                                              : none;
        const std::uint32_t r = sector == 0 || sector == 5 ? full
                                : sector == 1              ? falls
                                : sector == 4              ? rises
                                                           : none;
        ASSERT_EQ(back[i], b | g << 8 | r << 16)
            << h << ' ' << s << ' ' << v << ' ' << static_cast<int>(set);
      }
    }
    // OpenCV truncates in its vector loop and rounds in what is left of a row.
    cv::Mat hsv(1, 65536, CV_8UC3), bgr, ours(1, 65536, CV_8UC3), difference;
    bytes_of(words.data(), 65536, hsv.ptr());
    cv::cvtColor(hsv, bgr, cv::COLOR_HSV2BGR);
    bytes_of(back.data(), 65536, ours.ptr());
    cv::absdiff(bgr, ours, difference);
    ASSERT_LE(cv::norm(difference, cv::NORM_INF), 1) << h;
  }
}

TEST(ColourChange, FactorsAreTheTables) {
  std::mt19937 random(9);
  std::uniform_real_distribution<double> of(-1, 1);
  const cv::Mat picture = noise(67, 20, 2);  // a width that is no multiple of 16
  for (int i = 0; i < 40; ++i) {
    const double h = 1 + 0.3 * of(random), s = 1 + of(random), v = 1 + of(random);
    cv::Mat one = picture.clone(), other = picture.clone();
    apply_hsv(one, ColourChange(h, s, v));
    apply_hsv(other, hsv_tables(h, s, v));
    ASSERT_TRUE(equal(one, other)) << h << ' ' << s << ' ' << v;
  }
  // Whole products: what float32 makes of 0.7 or 1.1 must not lose one.
  for (const double gain : {0.0, 0.1, 0.7, 1.0, 1.1, 1.9, 2.0}) {
    cv::Mat one = picture.clone(), other = picture.clone();
    apply_hsv(one, ColourChange(gain, gain, gain));
    apply_hsv(other, hsv_tables(gain, gain, gain));
    ASSERT_TRUE(equal(one, other)) << gain;
  }
}

// One pass is the passes one after the other.
TEST(WarpToPlanes, IsWarpColoursFlipsAndPlanesInTurn) {
  const cv::Mat source = noise(200, 150, 7);
  for (const int width : {64, 50, 1})
    for (int k = 0; k < 8; ++k) {
      const cv::Size output(width, 40);
      const cv::Matx33d m(0.7, k % 3 == 0 ? 0 : 0.2, -8, k % 3 == 0 ? 0 : -0.1, 0.9, -5, 0, 0, 1);
      const Flips flips{(k & 1) != 0, (k & 2) != 0};
      const ColourChange change(1.1, 0.8, 1.2);
      const ColourChange* colours = (k & 4) != 0 ? &change : nullptr;
      std::vector<std::uint8_t> planes(3 * static_cast<std::size_t>(output.area())),
          others(planes.size());
      warp_to_planes(source, m, output, flips, colours, planes.data());
      cv::Mat warped = opencv_warp(source, m, output);
      write_planes(warped, flips, colours, others.data());
      ASSERT_EQ(planes, others) << width << ' ' << k;
      if (colours != nullptr) apply_hsv(warped, change);
      if (flips.vertical) cv::flip(warped, warped, 0);
      if (flips.horizontal) cv::flip(warped, warped, 1);
      for (int y = 0; y < output.height; ++y)
        for (int x = 0; x < output.width; ++x)
          for (int c = 0; c < 3; ++c)
            ASSERT_EQ(planes[static_cast<std::size_t>(c * output.area() + y * output.width + x)],
                      warped.at<cv::Vec3b>(y, x)[2 - c]);
    }
}

}  // namespace
}  // namespace yolov7::dataset
