// How far boxes stand out, against the definition written out; and that what decides a cause was
// measured on all pixels of an image (data-services D1).
#include "dataset/doctor/contrast.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/doctor/causes.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/doctor/smaller_image.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/kept_messages.hpp"
#include "tests/numbers.hpp"

namespace yolov7::dataset::doctor {
namespace {

std::vector<RawRow> rows_of(const std::string& text) { return read_rows(text, {}, 0); }

/// Discs of any gray on gray, as a JPEG file holds them well.
cv::Mat3b discs(std::uint64_t seed, int width, int height) {
  test::Numbers numbers(seed);
  cv::Mat3b image(height, width, cv::Vec3b(90, 90, 90));
  for (int i = 0; i < 30; ++i) {
    const cv::Point centre(static_cast<int>(numbers.below(static_cast<std::uint64_t>(width))),
                           static_cast<int>(numbers.below(static_cast<std::uint64_t>(height))));
    const auto level = static_cast<int>(numbers.below(256));
    cv::circle(image, centre, 4 + static_cast<int>(numbers.below(30)),
               {double(level), double(255 - level), double(numbers.below(256))}, cv::FILLED);
  }
  return image;
}

/// Half of what the two Sobel operators give at a pixel, at most 255; mirrored at the border.
double edge_at(const cv::Mat1b& gray, int x, int y) {
  const auto at = [&](int dx, int dy) {
    const int px = x + dx, py = y + dy;
    const int mx = px < 0 ? 1 : px >= gray.cols ? gray.cols - 2 : px;
    const int my = py < 0 ? 1 : py >= gray.rows ? gray.rows - 2 : py;
    return static_cast<double>(gray(my, mx));
  };
  const double across =
                   at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1),
               down = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1);
  return std::min(255.0, std::abs(across) / 2 + std::abs(down) / 2);
}

// An image of at most 256 px is measured as it is. Box: columns 40 to 79 and rows 20 to 59 of
// 200 × 100 px; the ring has 1.5 times the sides: columns 30 to 89, rows 10 to 69.
TEST(WholeContrast, IsTheDistanceOfMeansInsideAndAround) {
  const cv::Mat3b image = discs(1, 200, 100);
  cv::Mat1b gray;
  cv::cvtColor(image, gray, cv::COLOR_BGR2GRAY);
  double in[4] = {}, out[4] = {}, sum = 0, squares = 0;
  for (int y = 0; y < 100; ++y)
    for (int x = 0; x < 200; ++x) {
      sum += gray(y, x), squares += double(gray(y, x)) * gray(y, x);
      const bool inside = x >= 40 && x < 80 && y >= 20 && y < 60,
                 around = x >= 30 && x < 90 && y >= 10 && y < 70 && !inside;
      for (int c = 0; c < 4; ++c) {
        const double value = c < 3 ? image(y, x)[c] : edge_at(gray, x, y);
        if (inside) in[c] += value / (40 * 40);
        if (around) out[c] += value / (60 * 60 - 40 * 40);
      }
    }
  double square = 0;
  for (int c = 0; c < 4; ++c) square += (in[c] - out[c]) * (in[c] - out[c]);
  const double spread = std::sqrt(squares / 20000 - sum / 20000 * (sum / 20000));
  const BoxContrast look = whole_contrast(image, rows_of("0 .3 .4 .2 .4\n"));
  EXPECT_TRUE(look.whole);
  EXPECT_EQ(look.boxes, 1);
  // The two halves of an edge are rounded each, to a whole level at most.
  EXPECT_NEAR(look.contrast[0], std::sqrt(square) / (spread + 4), 1.0 / (spread + 4));
}

TEST(SmallerImage, IsOfMeansOverAreas) {
  const cv::Mat1b image = (cv::Mat1b(2, 4) << 10, 20, 0, 0, 30, 40, 0, 8);
  const cv::Mat1b half = at_most(image, 2);
  ASSERT_EQ(half.size(), cv::Size(2, 1));
  EXPECT_EQ(half(0, 0), 25);
  EXPECT_EQ(half(0, 1), 2);
  EXPECT_EQ(at_most(image, 4).size(), image.size());
  EXPECT_EQ(at_most(cv::Mat1b(30, 90), 60).size(), cv::Size(60, 20));
}

TEST(OddRows, AreThoseThatAreNoBoxesOfTheFormat) {
  EXPECT_FALSE(has_odd_row(rows_of("0 .5 .5 .2 .3\n1 .1 .1 .2 .2\n")));
  EXPECT_FALSE(has_odd_row(rows_of("0 .1 .5 .23 .3\n")));  // 1.5 % outside: drawn over the border
  EXPECT_TRUE(has_odd_row(rows_of("0 .1 .5 .26 .3\n")));   // 3 % outside
  EXPECT_TRUE(has_odd_row(rows_of("0 .5 .5 .2 .3\n0 120 80 60 40\n")));
  EXPECT_FALSE(has_odd_row({}));
}

/// 60 JPEG files of 1,280 × 960 px with two boxes each, which are read at a fraction.
struct Decided : testing::Test {
  test::TemporaryFolder folder;
  test::KeptMessages messages;
  Decided() {
    for (int i = 0; i < 60; ++i) {
      write_picture(image(i), discs(static_cast<std::uint64_t>(i), 1280, 960));
      folder.write("labels/train/" + std::to_string(100 + i) + ".txt",
                   "0 0.3 0.4 0.2 0." + std::to_string(10 + i % 7) + "\n0 0.7 0.6 0.1 0.2" +
                       std::to_string(i) + "\n");
    }
    folder.write("data.yaml", "train: images/train\nval: images/train\nnames: [a]\n");
  }
  std::filesystem::path image(int i) {
    const auto path = folder / "images/train" / (std::to_string(100 + i) + ".jpg");
    std::filesystem::create_directories(path.parent_path());
    return path;
  }
  Subject read() { return read_subject((folder / "data.yaml").string(), {}); }
  BoxContrast whole_look(const Picture& picture) {
    return whole_contrast(read_picture(picture.file), picture.rows);
  }
};

TEST_F(Decided, NothingIsReadTwiceWhereNothingIsToBeDecided) {
  const Subject subject = read();
  for (const Picture& picture : subject.splits[0].pictures) EXPECT_FALSE(picture.look.whole);
  EXPECT_TRUE(unsettled(subject).empty());
}

// The fault that this is about: pixel rows whose reading hung on an image that was read at a
// fraction, where another reading came out, and --fix moved the boxes.
TEST_F(Decided, PixelRowsAndWhatTheyAreComparedWithAreMeasuredWhole) {
  folder.write("labels/train/107.txt", "0 500 300 200 150\n0 800 600 300 250\n");
  const Subject subject = read();
  for (const Picture& picture : subject.splits[0].pictures) {
    ASSERT_TRUE(picture.look.whole) << picture.file;
    const BoxContrast expected = whole_look(picture);
    EXPECT_EQ(picture.look.contrast, expected.contrast) << picture.file;
    EXPECT_EQ(picture.look.votes, expected.votes) << picture.file;
  }
  const Subject again = read();  // from the cache
  for (const Picture& picture : again.splits[0].pictures) EXPECT_TRUE(picture.look.whole);
}

TEST_F(Decided, WhatWasMeasuredQuicklyDecidesNothing) {
  Subject subject = read();
  const Causes before = find_causes(subject);
  std::size_t axes = 0;
  while (!(layout_at(axes) == Layout{Form::axes_exchanged, Unit::fraction})) ++axes;
  Look& look = subject.splits[0].pictures[3].look;
  look.contrast[axes] = 100 * look.contrast[0];
  look.votes[axes] = static_cast<std::int16_t>(look.boxes);
  EXPECT_EQ(find_causes(subject).files.size(), before.files.size());
}

TEST_F(Decided, OfEqualLabelFilesBothImagesAreMeasuredWhole) {
  folder.write("labels/train/120.txt", "0 0.3 0.4 0.2 0.15\n0 0.6 0.6 0.1 0.3\n");
  folder.write("labels/train/140.txt", "0 0.3 0.4 0.2 0.15\n0 0.6 0.6 0.1 0.3\n");
  const Subject subject = read();
  for (const std::size_t i : {20u, 40u}) {
    const Picture& picture = subject.splits[0].pictures[i];
    EXPECT_TRUE(picture.look.whole) << picture.file;
    EXPECT_EQ(picture.look.contrast, whole_look(picture).contrast);
  }
}

}  // namespace
}  // namespace yolov7::dataset::doctor
