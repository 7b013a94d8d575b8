// What the generated pictures hold: sizes, overlap, boxes on the shapes, colours that tell nothing,
// and a task that thresholds and contours do not solve.
#include "dataset/synth/synth_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "tests/dataset/contour_baseline.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::uint64_t seed = 4;

std::vector<SynthPicture> pictures(const SynthLevel& level, std::size_t count, int size) {
  std::vector<SynthPicture> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(draw_synth_picture(level, size, seed, 0, i, false));
  return result;
}

double size_share(const SynthPicture& p, const Label& label) {
  const double w = label.box.w * p.picture.cols, h = label.box.h * p.picture.rows;
  return std::max(w, h) / std::max(p.picture.cols, p.picture.rows);
}

TEST(SynthScene, StandardSizesAndCounts) {
  std::array<int, 4> histogram{};  // 3 to 6, 12, 24, 60 % of the picture's side
  std::size_t objects = 0, fewest = 99, most = 0;
  std::set<int> classes;
  std::set<std::pair<int, int>> shapes;
  for (const SynthPicture& p : pictures(standard_level(), 120, 160)) {
    EXPECT_EQ(std::max(p.picture.cols, p.picture.rows), 160);
    shapes.emplace(p.picture.cols, p.picture.rows);
    objects += p.labels.size();
    fewest = std::min(fewest, p.labels.size()), most = std::max(most, p.labels.size());
    for (std::size_t i = 0; i < p.labels.size(); ++i) {
      const double share = size_share(p, p.labels[i]);
      EXPECT_TRUE(share >= 0.03 - 1e-9 && share <= 0.60 + 1e-9) << share;
      EXPECT_GE(p.visible[i], 0.5);
      ++histogram[share < 0.06 ? 0 : share < 0.12 ? 1 : share < 0.24 ? 2 : 3];
      classes.insert(p.labels[i].class_index);
    }
  }
  for (const int count : histogram) EXPECT_GE(count, static_cast<int>(objects) / 10);
  EXPECT_EQ(classes.size(), 8u);
  EXPECT_GE(shapes.size(), 6u);
  EXPECT_LE(fewest, 2u);
  EXPECT_TRUE(most >= 20 && most <= 30) << most;
  RecordProperty("objects", static_cast<int>(objects));
}

TEST(SynthScene, SomeObjectsAreHalfHidden) {
  int hidden = 0, objects = 0;
  for (const SynthPicture& p : pictures(standard_level(), 100, 160))
    for (const double visible : p.visible) {
      ++objects;
      hidden += visible < 0.8;
    }
  EXPECT_GT(hidden, objects / 50);
}

TEST(SynthScene, EasyIsFewBigAndClear) {
  for (const SynthPicture& p : pictures(easy_level(), 60, 160)) {
    EXPECT_EQ(p.picture.size(), cv::Size(160, 160));
    EXPECT_TRUE(p.labels.size() >= 1 && p.labels.size() <= 3);
    for (std::size_t i = 0; i < p.labels.size(); ++i) {
      EXPECT_TRUE(size_share(p, p.labels[i]) >= 0.25 && size_share(p, p.labels[i]) <= 0.5);
      EXPECT_EQ(p.visible[i], 1);
    }
  }
}

TEST(SynthScene, BoxesAndPolygonsSitOnTheShapes) {
  // One object on a plain ground without faults: the pixels that differ from the ground are the
  // object.
  SynthLevel level = standard_level();
  level.most_objects = 1;
  level.texture = level.most_noise = level.most_blur = 0, level.most_distractors = 0,
  level.least_contrast = 120;
  std::set<int> classes;
  for (std::size_t i = 0; i < 80; ++i) {
    const SynthPicture p = draw_synth_picture(level, 200, seed, 1, i, false);
    const SynthPicture ground = draw_synth_picture(level, 200, seed, 1, i, true);
    ASSERT_EQ(p.labels.size(), 1u);
    classes.insert(p.labels[0].class_index);
    cv::Mat difference, gray;
    cv::absdiff(p.picture, ground.picture, difference);
    cv::transform(difference, gray, cv::Matx13f(1, 1, 1));
    const Xyxy box = to_pixels(p.labels[0].box, p.picture.cols, p.picture.rows);
    const cv::Rect found = cv::boundingRect(gray > 0);
    // A corner's tip may cover too little of its pixel to change it: up to 2 px for the star's
    // narrow rays.
    EXPECT_GE(found.x, std::floor(box.x1));
    EXPECT_GE(found.y, std::floor(box.y1));
    EXPECT_LE(found.br().x, std::ceil(box.x2));
    EXPECT_LE(found.br().y, std::ceil(box.y2));
    EXPECT_LE(found.x - box.x1, 2);
    EXPECT_LE(found.y - box.y1, 2);
    EXPECT_LE(box.x2 - found.br().x, 2);
    EXPECT_LE(box.y2 - found.br().y, 2);
    Outline outline;
    for (const cv::Point2d& q : p.labels[0].polygon)
      outline.emplace_back(q.x * p.picture.cols, q.y * p.picture.rows);
    const Xyxy extent = outline_extent(outline);
    EXPECT_NEAR(extent.x1, box.x1, 1e-9);
    EXPECT_NEAR(extent.y2, box.y2, 1e-9);
    // Full change inside, none outside: the changed area is the polygon's.
    const double full = *std::max_element(gray.begin<uchar>(), gray.end<uchar>());
    EXPECT_NEAR(cv::sum(gray)[0] / full, outline_area(outline), 0.02 * outline_area(outline) + 4);
  }
  EXPECT_EQ(classes.size(), 8u);
}

TEST(SynthScene, IsAFunctionOfItsArguments) {
  const SynthLevel level = standard_level();
  const SynthPicture a = draw_synth_picture(level, 96, 1, 0, 5, false),
                     b = draw_synth_picture(level, 96, 1, 0, 5, false);
  EXPECT_EQ(cv::norm(a.picture, b.picture, cv::NORM_INF), 0);
  EXPECT_EQ(format_labels(a.labels), format_labels(b.labels));
  for (const SynthPicture& other : {draw_synth_picture(level, 96, 2, 0, 5, false),
                                    draw_synth_picture(level, 96, 1, 1, 5, false),
                                    draw_synth_picture(level, 96, 1, 0, 6, false)})
    EXPECT_TRUE(other.picture.size() != a.picture.size() ||
                cv::norm(a.picture, other.picture, cv::NORM_INF) > 0);
  EXPECT_TRUE(draw_synth_picture(level, 96, 1, 0, 5, true).labels.empty());
}

/// Mean colour of the pixels around the label's first visible interior point is not known; the
/// whole box' centre region does.
cv::Vec3d mean_colour(const SynthPicture& p, const Label& label) {
  cv::Mat mask = cv::Mat::zeros(p.picture.size(), CV_8UC1);
  std::vector<cv::Point> points;
  for (const cv::Point2d& q : label.polygon)
    points.emplace_back(static_cast<int>(q.x * p.picture.cols),
                        static_cast<int>(q.y * p.picture.rows));
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(255));
  const cv::Scalar mean = cv::mean(p.picture, mask);
  return {mean[0], mean[1], mean[2]};
}

/// Share of objects whose class is that of the nearest mean colour, learnt on even pictures, tested
/// on odd ones.
double accuracy_by_colour(const SynthLevel& level) {
  const auto drawn = pictures(level, 120, 160);
  std::vector<cv::Vec3d> centre(level.shapes.size());
  std::vector<int> count(level.shapes.size(), 0);
  for (std::size_t i = 0; i < drawn.size(); i += 2)
    for (const Label& label : drawn[i].labels) {
      const auto c = static_cast<std::size_t>(label.class_index);
      centre[c] += mean_colour(drawn[i], label);
      ++count[c];
    }
  for (std::size_t c = 0; c < centre.size(); ++c) centre[c] /= std::max(1, count[c]);
  int right = 0, all = 0;
  for (std::size_t i = 1; i < drawn.size(); i += 2)
    for (const Label& label : drawn[i].labels) {
      const cv::Vec3d colour = mean_colour(drawn[i], label);
      const auto nearest = std::min_element(centre.begin(), centre.end(),
                                            [&](const cv::Vec3d& a, const cv::Vec3d& b) {
                                              return cv::norm(a - colour) < cv::norm(b - colour);
                                            });
      right += nearest - centre.begin() == label.class_index;
      ++all;
    }
  return static_cast<double>(right) / all;
}

TEST(SynthScene, ColourTellsTheClassOnlyInEasy) {
  EXPECT_LT(accuracy_by_colour(standard_level()), 0.22);  // chance: 0.125
  EXPECT_GT(accuracy_by_colour(easy_level()), 0.9);       // the measure does see colours
}

double baseline(const SynthLevel& level, std::size_t count, int size) {
  std::vector<std::vector<Detection>> found, truth;
  for (const SynthPicture& p : pictures(level, count, size)) {
    found.push_back(test::find_shapes(p.picture, level.shapes));
    truth.emplace_back();
    for (const Label& label : p.labels) {
      Detection d;
      d.box = to_pixels(label.box, p.picture.cols, p.picture.rows);
      d.class_index = label.class_index;
      truth.back().push_back(d);
    }
  }
  return test::map50(found, truth, static_cast<int>(level.shapes.size()));
}

TEST(SynthScene, ContoursSolveEasyButNotStandard) {
  const double easy = baseline(easy_level(), 40, 192),
               standard = baseline(standard_level(), 40, 320);
  RecordProperty("easy", std::to_string(easy));
  RecordProperty("standard", std::to_string(standard));
  std::printf("contour baseline: mAP50 %.3f on easy, %.3f on standard\n", easy, standard);
  EXPECT_GT(easy, 0.7);  // so the baseline is an honest one
  EXPECT_LT(standard, 0.4);
}

}  // namespace
}  // namespace yolov7::dataset
