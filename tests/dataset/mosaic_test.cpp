// Fixtures of data 14.4: solid tiles with one centred label each, s = 64, given draws.
#include "dataset/augment/mosaic.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace yolov7::dataset {
namespace {

const std::vector<Label> centred{
    {0, {0.5, 0.5, 0.5, 0.5}, {{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}}}};

int shade(std::size_t tile) { return 10 + 20 * static_cast<int>(tile); }

template <std::size_t N>
std::array<Tile, N> tiles(const std::array<cv::Size, N>& sizes) {
  std::array<Tile, N> result;
  for (std::size_t i = 0; i < N; ++i)
    result[i] = {cv::Mat(sizes[i], CV_8UC3, cv::Scalar::all(shade(i))), centred, nullptr};
  return result;
}

struct Area {
  int x1, x2, y1, y2;
};

/// The areas painted in order on grey.
template <std::size_t N>
cv::Mat painted(const std::array<Area, N>& areas, int side) {
  cv::Mat picture(side, side, CV_8UC3, cv::Scalar::all(114));
  for (std::size_t i = 0; i < N; ++i)
    picture(cv::Range(areas[i].y1, areas[i].y2), cv::Range(areas[i].x1, areas[i].x2))
        .setTo(cv::Scalar::all(shade(i)));
  return picture;
}

template <std::size_t N>
void expect_boxes(const Sample& sample, const std::array<Xyxy, N>& boxes) {
  ASSERT_EQ(sample.objects.size(), N);
  for (std::size_t i = 0; i < N; ++i) {
    const Xyxy& b = sample.objects[i].box;
    EXPECT_TRUE(b == boxes[i]) << "tile " << i << ": " << b.x1 << " " << b.y1 << " " << b.x2 << " "
                               << b.y2;
  }
}

const std::array<cv::Size, 4> sizes4{{{64, 48}, {40, 64}, {64, 64}, {30, 20}}};
const std::array<cv::Size, 9> sizes9{
    {{64, 48}, {40, 64}, {64, 64}, {30, 20}, {64, 32}, {48, 64}, {64, 40}, {20, 64}, {64, 64}}};

TEST(Mosaic, FourTilesMeetAtTheCentre) {
  const Sample sample = mosaic4(tiles(sizes4), 64, 50.7, 80.2);
  const std::array<Area, 4> areas{
      {{16, 80, 2, 50}, {80, 120, 0, 50}, {16, 80, 50, 114}, {80, 110, 50, 70}}};
  EXPECT_EQ(cv::norm(sample.picture, painted(areas, 128), cv::NORM_INF), 0);
  expect_boxes<4>(sample,
                  {{{32, 14, 64, 38}, {90, 2, 110, 34}, {32, 66, 64, 98}, {87.5, 55, 102.5, 65}}});
}

TEST(Mosaic, NineTilesAreCroppedToTheWindow) {
  const Sample sample = mosaic9(tiles(sizes9), 64, 20.9, 33.3);
  const std::array<Area, 9> areas{{{31, 95, 44, 92},
                                   {31, 71, 0, 44},
                                   {71, 128, 0, 44},
                                   {95, 125, 44, 64},
                                   {95, 128, 64, 96},
                                   {47, 95, 92, 128},
                                   {0, 47, 92, 128},
                                   {11, 31, 28, 92},
                                   {0, 31, 0, 28}}};
  EXPECT_EQ(cv::norm(sample.picture, painted(areas, 128), cv::NORM_INF), 0);
  expect_boxes<9>(sample, {{{47, 56, 79, 80},
                            {41, 0, 61, 28},
                            {87, 0, 119, 28},
                            {102.5, 49, 117.5, 59},
                            {111, 72, 128, 88},
                            {59, 108, 83, 128},
                            {0, 102, 31, 122},
                            {16, 44, 26, 76},
                            {0, 0, 15, 12}}});
}

TEST(Mosaic, PolygonsMoveWithTheirTileAndAreClipped) {
  // Tile 0 at (16, 2): a quarter of 64 × 48 is (16, 12).
  const Sample four = mosaic4(tiles(sizes4), 64, 50.7, 80.2);
  EXPECT_EQ(four.objects[0].polygon, (std::vector<cv::Point2d>{{32, 14}, {64, 14}, {64, 38}}));
  // Tile 4 at (128 − 33, 84 − 20): its right half lies beyond 128.
  const Sample nine = mosaic9(tiles(sizes9), 64, 20.9, 33.3);
  EXPECT_EQ(nine.objects[4].polygon, (std::vector<cv::Point2d>{{111, 72}, {128, 72}, {128, 88}}));
}

TEST(Mosaic, TilesCutAwayLeaveALabelWithoutArea) {
  // Centre at the upper left limit: tile 0 of 64 × 64 begins at (−32, −32), its label at (−16, −16)
  // … (16, 16).
  std::array<Tile, 4> all = tiles(sizes4);
  all[0].picture = cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(1));
  const std::vector<Label> corner{{3, {0.1, 0.1, 0.2, 0.2}, {}}};
  all[0].labels = corner;
  const Sample sample = mosaic4(all, 64, 32, 32);
  EXPECT_EQ(sample.objects[0].class_index, 3);
  EXPECT_TRUE(sample.objects[0].box == (Xyxy{0, 0, 0, 0}));
}

TEST(Mosaic, GivenMemoryIsUsedAndTilesStayUntouched) {
  cv::Mat canvas(128, 128, CV_8UC3, cv::Scalar::all(7));
  const auto* const memory = canvas.data;
  const auto all = tiles(sizes4);
  const Sample sample = mosaic4(all, 64, 50.7, 80.2, canvas);
  EXPECT_EQ(sample.picture.data, memory);
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(0, 0), cv::Vec3b(114, 114, 114));
  EXPECT_EQ(
      cv::norm(all[2].picture, cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(shade(2))), cv::NORM_INF),
      0);
}

}  // namespace
}  // namespace yolov7::dataset
