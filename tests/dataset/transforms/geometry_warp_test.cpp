// Warps (data 13.3 rows 88–93): displacements by their formulas, inverses, no folds, cells by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <set>

#include "dataset/augment/transforms/geometry.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

constexpr int width = 200, height = 160;

/// Where each pixel came from, read off a smooth picture: (x, y, 255), one level a pixel.
cv::Mat coordinates() {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y),
                                     255};
  return picture;
}
Sample result(std::string_view name, const std::string& parameters, std::uint64_t seed = 1,
              std::vector<Object> objects = {}) {
  return applied(geometry_transforms(), name, parameters, Sample{coordinates(), std::move(objects)},
                 seed);
}
bool shown(const cv::Vec3b& p) { return p[2] == 255; }  // less than 1/280 of the grey beyond, 114

// The input of output (x, y) is centre + (1 + k r²) (p − centre), r in halves of 200.
TEST(OpticalDistortion, ByFormula) {
  for (const double k : {0.1, -0.1}) {
    const cv::Mat found = result("OpticalDistortion", k > 0 ? "{distort_limit: [0.1, 0.1]}"
                                                            : "{distort_limit: [-0.1, -0.1]}")
                              .picture;
    int compared = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
        if (!shown(p)) continue;
        const double u = x + 0.5 - 100, v = y + 0.5 - 80, f = 1 + k * (u * u + v * v) / 1e4;
        ASSERT_NEAR(p[0], 100 + u * f - 0.5,
                    0.95);  // rounding, 1/32 px of the resampling, 1/280 of the grey
        ASSERT_NEAR(p[1], 80 + v * f - 0.5, 0.95);
        ++compared;
      }
    EXPECT_GT(compared, 20'000);
  }
}

// Between knots the map is linear: second differences vanish inside a cell of 40 and 32 px; its
// ends stay; it never falls.
TEST(GridDistortion, IsMonotoneAndLinearInCells) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const cv::Mat found = result("GridDistortion", "{}", seed).picture;
    for (int x = 1; x < width; ++x)
      ASSERT_GE(found.at<cv::Vec3b>(80, x)[0], found.at<cv::Vec3b>(80, x - 1)[0]);
    EXPECT_LE(found.at<cv::Vec3b>(80, 0)[0], 1);
    EXPECT_GE(found.at<cv::Vec3b>(80, width - 1)[0], width - 2);
    std::set<int> slopes;
    for (int cell = 0; cell < 5; ++cell) {
      const int first = 40 * cell + 2, last = 40 * cell + 37, middle = (first + last) / 2;
      const double slope = (found.at<cv::Vec3b>(80, last)[0] - found.at<cv::Vec3b>(80, first)[0]) /
                           static_cast<double>(last - first);
      EXPECT_NEAR(found.at<cv::Vec3b>(80, middle)[0],
                  found.at<cv::Vec3b>(80, first)[0] + slope * (middle - first),
                  1.01);  // three roundings
      EXPECT_TRUE(slope > 0.7 / 1.3 - 0.03 && slope < 1.3 / 0.7 + 0.03) << slope;
      slopes.insert(static_cast<int>(100 * slope));
    }
    EXPECT_GT(slopes.size(), 2u);
    // Rows do not depend on columns.
    for (int y = 0; y < height; y += 10)
      EXPECT_EQ(found.at<cv::Vec3b>(y, 20)[1], found.at<cv::Vec3b>(y, 180)[1]);
  }
}

// Displacement of a root mean square of 1 % of 200 px, each way; smooth: neighbours differ by
// little.
TEST(ElasticTransform, HasItsStrengthAndIsSmooth) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const cv::Mat found = result("ElasticTransform", "{sigma: 20}", seed).picture;
    double squares = 0, steepest = 0;
    int compared = 0;
    for (int y = 1; y < height; ++y)
      for (int x = 1; x < width; ++x) {
        const cv::Vec3b p = found.at<cv::Vec3b>(y, x), left = found.at<cv::Vec3b>(y, x - 1);
        if (!shown(p) || !shown(left)) continue;
        squares += std::pow(p[0] - x, 2) + std::pow(p[1] - y, 2), ++compared;
        steepest = std::max(steepest, std::abs(p[0] - left[0] - 1.0));
      }
    EXPECT_NEAR(std::sqrt(squares / (2 * compared)), 2, 0.5)
        << seed;  // rounding adds 1/12 to 4; what left the picture is missing
    EXPECT_LE(steepest, 2);
  }
}

// However strong: what was left of something stays left of it.
TEST(Warps, NeverFold) {
  for (const auto& [name, parameters] :
       std::map<const char*, const char*>{{"ElasticTransform", "{alpha: 40, sigma: 10}"},
                                          {"PiecewiseAffine", "{scale: [0.4, 0.4]}"},
                                          {"ThinPlateSpline", "{scale_range: [1.5, 1.5]}"}})
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const cv::Mat found = result(name, parameters, seed).picture;
      for (int y = 0; y < height; ++y)
        for (int x = 1; x < width; ++x)
          ASSERT_TRUE(!shown(found.at<cv::Vec3b>(y, x)) || !shown(found.at<cv::Vec3b>(y, x - 1)) ||
                      found.at<cv::Vec3b>(y, x)[0] >= found.at<cv::Vec3b>(y, x - 1)[0])
              << name << seed << ' ' << x << ' ' << y;
    }
}

// The displacement at the nodes is the draw, linear between them: along a row halfway between two
// rows of nodes it is the mean of theirs.
TEST(PiecewiseAffine, NodesByTheDraws) {
  const std::uint64_t seed = 3;
  const cv::Mat found = result("PiecewiseAffine", "{scale: [0.02, 0.02]}", seed).picture;
  Random draws(seed, 0, 0, 0);
  draws.uniform();  // the strength
  double dx[4][4], dy[4][4];
  for (int j = 0; j < 4; ++j)
    for (int i = 0; i < 4; ++i)
      dx[j][i] = 0.02 * width * draws.normal(), dy[j][i] = 0.02 * height * draws.normal();
  int compared = 0;
  for (int j = 0; j < 3; ++j)
    for (int i = 0; i < 3; ++i) {
      const int x = static_cast<int>((i + 0.5) * width / 3),
                y = static_cast<int>((j + 0.5) * height / 3);
      const double u = (x + 0.5) * 3 / width - i, v = (y + 0.5) * 3 / height - j;
      const auto mixed = [&](double(&d)[4][4]) {
        return (d[j][i] * (1 - u) + d[j][i + 1] * u) * (1 - v) +
               (d[j + 1][i] * (1 - u) + d[j + 1][i + 1] * u) * v;
      };
      const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
      if (!shown(p)) continue;
      EXPECT_NEAR(p[0], x + mixed(dx), 0.55) << i << j;
      EXPECT_NEAR(p[1], y + mixed(dy), 0.55) << i << j;
      ++compared;
    }
  EXPECT_EQ(compared, 9);
}

// Through the control points: those inside the picture at a third and two thirds of the sides have
// the drawn displacement.
TEST(ThinPlateSpline, PassesThroughItsControlPoints) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const cv::Mat found = result("ThinPlateSpline", "{scale_range: [0.1, 0.1]}", seed).picture;
    Random draws(seed, 0, 0, 0);
    draws.uniform();  // the strength
    for (int j = 0; j < 4; ++j)
      for (int i = 0; i < 4; ++i) {
        const double dx = 0.1 / 3 * draws.normal() * width, dy = 0.1 / 3 * draws.normal() * height;
        if (i % 3 == 0 || j % 3 == 0) continue;
        const double px = i * width / 3.0, py = j * height / 3.0;
        const cv::Vec3b p = found.at<cv::Vec3b>(static_cast<int>(py), static_cast<int>(px));
        ASSERT_TRUE(shown(p));
        EXPECT_NEAR(p[0], static_cast<int>(px) + dx, 1.1)
            << seed;  // half a pixel to the next centre, a grid of 33 nodes, rounding
        EXPECT_NEAR(p[1], static_cast<int>(py) + dy, 1.1) << seed;
      }
  }
}

// The point that the inverse gives shows what was asked for.
TEST(InverseDisplacement, IsTheInverse) {
  cv::Mat dx(80, 100, CV_32F), dy(80, 100, CV_32F);
  const auto fx = [](double x, double y) { return 6 * std::sin(x / 12) * std::cos(y / 20); };
  const auto fy = [](double x, double y) { return 5 * std::cos(x / 15) + 3 * std::sin(y / 9); };
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 100; ++x)
      dx.at<float>(y, x) = static_cast<float>(fx(x + 0.5, y + 0.5)),
                      dy.at<float>(y, x) = static_cast<float>(fy(x + 0.5, y + 0.5));
  for (double y = 15; y < 65; y += 7.3)
    for (double x = 15; x < 85; x += 5.7) {
      const cv::Point2d q = inverse_displacement(dx, dy, {x, y});
      EXPECT_NEAR(q.x + fx(q.x, q.y), x,
                  0.02);  // bilinear between the field's pixels: h² / 8 · f''
      EXPECT_NEAR(q.y + fy(q.x, q.y), y, 0.02);
    }
}

// Cells of 66 × 53 px of 200 × 160: the last two columns and the last row stay. An object goes with
// its largest part, cut to that cell.
TEST(RandomGridShuffle, CellsByTheDraws) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const std::vector<Object> objects{
        {0, {10, 10, 50, 40}, {}}, {1, {40, 60, 90, 100}, {}}, {2, {150, 20, 199, 50}, {}}};
    const Sample found = result("RandomGridShuffle", "{}", seed, objects);
    Random draws(seed, 0, 0, 0);
    const auto order = draws.permutation(9);
    std::map<std::size_t, std::size_t> place;
    for (std::size_t i = 0; i < 9; ++i) place[order[i]] = i;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        cv::Vec3b expected(static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 255);
        if (x < 198 && y < 159) {
          const auto from = static_cast<int>(order[static_cast<std::size_t>(y / 53 * 3 + x / 66)]);
          expected[0] = static_cast<std::uint8_t>(from % 3 * 66 + x % 66),
          expected[1] = static_cast<std::uint8_t>(from / 3 * 53 + y % 53);
        }
        ASSERT_EQ(found.picture.at<cv::Vec3b>(y, x), expected) << x << ' ' << y;
      }
    ASSERT_EQ(found.objects.size(), 3u);
    const auto moved = [&](std::size_t cell, Xyxy b) {
      const double dx = 66.0 * (static_cast<int>(place[cell]) % 3 - static_cast<int>(cell) % 3),
                   dy = 53.0 * (static_cast<int>(place[cell]) / 3 - static_cast<int>(cell) / 3);
      return Xyxy{b.x1 + dx, b.y1 + dy, b.x2 + dx, b.y2 + dy};
    };
    EXPECT_EQ(found.objects[0].box, moved(0, {10, 10, 50, 40}));
    EXPECT_EQ(found.objects[1].box,
              moved(3, {40, 60, 66, 100}));  // 26 columns in cell 3, 24 in cell 4
    EXPECT_EQ(found.objects[2].box, moved(2, {150, 20, 198, 50}));  // one column lies in what stays
  }
}

}  // namespace
}  // namespace yolov7::dataset
