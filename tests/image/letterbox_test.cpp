#include "image/letterbox.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"

using namespace yolov7;

namespace {

LetterboxOptions options_of(bool automatic, bool scale_up = true, int stride = 32,
                            bool fill = false) {
  LetterboxOptions options;
  options.automatic = automatic;
  options.scale_up = scale_up;
  options.stride = stride;
  options.fill = fill;
  return options;
}

struct Row {
  cv::Size source, target;  // width × height
  LetterboxOptions options;
  cv::Size output;
  double ratio_x, ratio_y, dw, dh;
  int top, bottom, left, right;
};

}  // namespace

TEST(Letterbox, TableOfTheSpecification) {
  const Row rows[] = {
      {{640, 480}, {640, 640}, options_of(true), {640, 480}, 1, 1, 0, 0, 0, 0, 0, 0},
      {{640, 427}, {640, 640}, options_of(false), {640, 640}, 1, 1, 0, 106.5, 106, 107, 0, 0},
      {{810, 1080},
       {640, 640},
       options_of(true),
       {480, 640},
       16 / 27.0,
       16 / 27.0,
       0,
       0,
       0,
       0,
       0,
       0},
      {{500, 333},
       {640, 640},
       options_of(false, false),
       {640, 640},
       1,
       1,
       70,
       153.5,
       153,
       154,
       70,
       70},
      {{500, 333}, {640, 640}, options_of(true), {640, 448}, 1.28, 1.28, 0, 11, 11, 11, 0, 0},
      {{1280, 720},
       {640, 640},
       options_of(true, true, 64),
       {640, 384},
       0.5,
       0.5,
       0,
       12,
       12,
       12,
       0,
       0},
      {{480, 640}, {512, 672}, options_of(false, false), {512, 672}, 1, 1, 16, 16, 16, 16, 16, 16},
      {{640, 427},
       {672, 480},
       options_of(false, false),
       {672, 480},
       1,
       1,
       16,
       26.5,
       26,
       27,
       16,
       16},
      {{500, 375},
       {640, 640},
       options_of(false, true, 32, true),
       {640, 640},
       1.28,
       640 / 375.0,
       0,
       0,
       0,
       0,
       0,
       0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.source << " to " << row.target);
    const Letterbox g = letterbox_geometry(row.source, row.target, row.options);
    EXPECT_EQ(g.source, row.source);
    EXPECT_EQ(g.target, row.output);
    // One rounding of a quotient on either side.
    EXPECT_NEAR(g.ratio_x, row.ratio_x, 1e-15);
    EXPECT_NEAR(g.ratio_y, row.ratio_y, 1e-15);
    EXPECT_EQ(g.dw, row.dw);
    EXPECT_EQ(g.dh, row.dh);
    EXPECT_EQ(g.top, row.top);
    EXPECT_EQ(g.bottom, row.bottom);
    EXPECT_EQ(g.left, row.left);
    EXPECT_EQ(g.right, row.right);
    const cv::Mat boxed = letterbox(cv::Mat(row.source, CV_8UC3, cv::Scalar(1, 2, 3)), g);
    EXPECT_EQ(boxed.size(), row.output);
  }
}

TEST(Letterbox, SidesRoundHalvesToEven) {
  // 5 · 0.5 = 2.5 and 7 · 0.5 = 3.5 become 2 and 4.
  EXPECT_EQ(letterbox_geometry({20, 5}, {10, 10}, options_of(false)).resized, cv::Size(10, 2));
  EXPECT_EQ(letterbox_geometry({20, 7}, {10, 10}, options_of(false)).resized, cv::Size(10, 4));
}

TEST(Letterbox, ThinPictureKeepsOnePixel) {
  const Letterbox g = letterbox_geometry({4000, 1}, {640, 640}, options_of(false));
  EXPECT_EQ(g.resized, cv::Size(640, 1));
  EXPECT_EQ(g.target, cv::Size(640, 640));
  EXPECT_EQ(letterbox(cv::Mat(1, 4000, CV_8UC3, cv::Scalar::all(7)), g).at<cv::Vec3b>(g.top, 320),
            cv::Vec3b(7, 7, 7));
}

TEST(Letterbox, BorderIsGreyAndPixelsStay) {
  cv::Mat picture(3, 4, CV_8UC3);
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 4; ++x)
      picture.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<uchar>(10 * y), static_cast<uchar>(x), 200);
  const Letterbox g = letterbox_geometry(picture.size(), {9, 8}, options_of(false, false));
  // 5 columns and 5 rows to share: 2 before, 3 behind.
  const cv::Mat boxed = letterbox(picture, g);
  ASSERT_EQ(boxed.size(), cv::Size(9, 8));
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 9; ++x) {
      const bool inside = y >= 2 && y < 5 && x >= 2 && x < 6;
      EXPECT_EQ(boxed.at<cv::Vec3b>(y, x),
                inside ? picture.at<cv::Vec3b>(y - 2, x - 2) : cv::Vec3b(114, 114, 114));
    }
}

TEST(Letterbox, RefusesWhatItWasNotMadeFor) {
  const Letterbox g = letterbox_geometry({10, 10}, {32, 32}, {});
  EXPECT_THROW(letterbox(cv::Mat(10, 11, CV_8UC3), g), Error);
  EXPECT_THROW(letterbox(cv::Mat(10, 10, CV_8UC1), g), Error);
  EXPECT_THROW(letterbox_geometry({0, 10}, {32, 32}, {}), Error);
  EXPECT_THROW(letterbox_geometry({10, 10}, {32, 0}, {}), Error);
  EXPECT_THROW(letterbox_geometry({10, 10}, {32, 32}, options_of(true, true, 0)), Error);
}

TEST(Letterbox, InverseOfEvaluation34) {
  // 500 × 333 in 640 × 448: gain = min(448/333, 640/500) = 1.28, pad = (0, (448 − 426.24)/2
  // = 10.88).
  const Xyxy box = to_original({128, 74.88, 256, 202.88}, {640, 448}, {500, 333});
  EXPECT_NEAR(box.x1, 100, 1e-12);  // a few roundings of numbers near 200
  EXPECT_NEAR(box.y1, 50, 1e-12);
  EXPECT_NEAR(box.x2, 200, 1e-12);
  EXPECT_NEAR(box.y2, 150, 1e-12);
}

TEST(Letterbox, InverseClipsToThePicture) {
  EXPECT_EQ(to_original({-50, -50, 9000, 9000}, {640, 640}, {1280, 720}), (Xyxy{0, 0, 1280, 720}));
}

TEST(Letterbox, InverseUndoesTheForwardMapping) {
  // Where no side is rounded the forward mapping x·r + dw is undone exactly but for rounding.
  for (const cv::Size source : {cv::Size(1280, 720), cv::Size(810, 1080), cv::Size(640, 480)}) {
    const Letterbox g = letterbox_geometry(source, {640, 640}, options_of(false));
    const Xyxy box{12.5, 30, 300.25, 411};
    const Xyxy forward{box.x1 * g.ratio_x + g.dw, box.y1 * g.ratio_y + g.dh,
                       box.x2 * g.ratio_x + g.dw, box.y2 * g.ratio_y + g.dh};
    const Xyxy back = to_original(forward, g.target, source);
    EXPECT_NEAR(back.x1, box.x1, 1e-10);
    EXPECT_NEAR(back.y1, box.y1, 1e-10);
    EXPECT_NEAR(back.x2, box.x2, 1e-10);
    EXPECT_NEAR(back.y2, box.y2, 1e-10);
  }
}
