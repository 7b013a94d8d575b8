#include "evaluation/analyses/breakdown.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/evaluation/spec_data.hpp"

namespace yolov7::evaluation {
namespace {

struct Set {
  CocoGroundTruth truth;
  std::vector<CocoDetection> detections;
  void object(std::int64_t image, std::int64_t category, Ltwh box, bool crowd = false) {
    truth.annotations.push_back({static_cast<std::int64_t>(truth.annotations.size()) + 1, image,
                                 category, box, box.width * box.height, crowd});
  }
};

Set empty() {
  Set set;
  set.truth.images = {1, 2, 3};
  set.truth.categories = {{2, "b"}, {1, "a"}, {3, "without objects"}};
  return set;
}

const ObjectBin* bin(const Breakdown& b, const std::string& property, const std::string& name) {
  for (const ObjectBin& one : b.bins)
    if (one.property == property && one.name == name) return &one;
  return nullptr;
}

}  // namespace

TEST(Breakdown, ThresholdsByHand) {
  // Class 1: three objects. Scores .9 right, .8 wrong, .7 right, .6 wrong, .5 wrong: F1 = 2/4, 2/5,
  // 4/6, 4/7, 4/8: best at .7, so the threshold lies at .65, P 2/3, R 2/3. Class 2: one object, .4
  // right: threshold .2.
  Set set = empty();
  for (int i = 0; i < 3; ++i) set.object(1, 1, {100.0 * i, 0, 50, 50});
  set.object(2, 2, {0, 0, 50, 50});
  set.detections = {{1, 1, {0, 0, 50, 50}, 0.9},   {1, 1, {500, 0, 50, 50}, 0.8},
                    {1, 1, {100, 0, 50, 50}, 0.7}, {1, 1, {600, 0, 50, 50}, 0.6},
                    {2, 1, {0, 0, 50, 50}, 0.5},   {2, 2, {0, 0, 50, 50}, 0.4}};
  const Breakdown b = break_down(set.truth, set.detections);
  ASSERT_EQ(b.categories.size(), 3u);
  EXPECT_EQ(b.categories[0].id, 1);
  EXPECT_DOUBLE_EQ(b.by_category[0].confidence, 0.65);
  EXPECT_DOUBLE_EQ(b.by_category[0].f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(b.by_category[0].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(b.by_category[1].confidence, 0.2);
  EXPECT_EQ(b.by_category[2].objects, 0u);
  // Together: 4 objects; .9 → 2/5, .8 2/6, .7 4/7, .6 4/8, .5 4/9, .4 6/10: the last is best.
  EXPECT_DOUBLE_EQ(b.overall.confidence, 0.2);
  EXPECT_DOUBLE_EQ(b.overall.f1, 0.6);
  // Above .2: one object of class 1 missed, two false in picture 1, one in picture 2.
  ASSERT_EQ(b.pictures.size(), 2u);
  EXPECT_EQ(b.pictures[0].image, 1);
  ASSERT_EQ(b.pictures[0].missed_objects.size(), 1u);
  EXPECT_EQ(b.pictures[0].missed_objects[0].id, 3);
  ASSERT_EQ(b.pictures[0].false_boxes.size(), 2u);
  EXPECT_EQ(b.pictures[0].false_boxes[1].score, 0.6);
  EXPECT_EQ(b.pictures[1].false_detections, 1u);
}

TEST(Breakdown, EqualScoresStayTogether) {
  Set set = empty();
  set.object(1, 1, {0, 0, 50, 50});
  set.detections = {
      {1, 1, {0, 0, 50, 50}, 0.5}, {1, 1, {300, 0, 50, 50}, 0.5}, {1, 1, {400, 0, 50, 50}, 0.5}};
  EXPECT_DOUBLE_EQ(break_down(set.truth, set.detections).overall.f1, 2.0 / 4)
      << "not 1, as if a threshold could tell them apart";
}

TEST(Breakdown, SizeShapeAndCrowdingByHand) {
  Set set = empty();
  set.object(1, 1, {0, 0, 10, 10});     // 10 px, square, alone
  set.object(1, 1, {100, 0, 100, 20});  // 44.7 px, 5:1
  set.object(1, 1, {300, 0, 40, 40});   // with a neighbour of another class, IoU 800 / 2400
  set.object(1, 2, {320, 0, 40, 40});
  set.detections = {{1, 1, {0, 0, 10, 10}, 0.9},
                    {1, 1, {300, 0, 40, 30}, 0.8}};  // IoU .75: found at .5 … .75, six of ten
  const Breakdown b = break_down(set.truth, set.detections);
  EXPECT_EQ(bin(b, "size", "under 16 px")->average_recall, 1);
  const ObjectBin* middle = bin(b, "size", "32 to 96 px");
  ASSERT_NE(middle, nullptr);
  EXPECT_EQ(middle->objects, 3u);
  EXPECT_NEAR(middle->recall50, 1.0 / 3, 1e-12);
  EXPECT_NEAR(middle->average_recall, 0.6 / 3, 1e-12);
  EXPECT_EQ(bin(b, "shape", "over 3:1 (wide)")->objects, 1u);
  EXPECT_EQ(bin(b, "shape", "over 3:1 (wide)")->recall50, 0);
  EXPECT_EQ(bin(b, "shape", "2:3 to 3:2")->objects, 3u);
  EXPECT_EQ(bin(b, "crowding", "alone")->objects, 2u);
  EXPECT_EQ(bin(b, "crowding", "1 neighbour")->objects, 2u);
  EXPECT_EQ(bin(b, "size", "288 px and more"), nullptr);
}

TEST(Breakdown, CrowdsAreNeitherObjectsNorErrors) {
  Set set = empty();
  set.object(1, 1, {0, 0, 200, 200}, true);
  set.object(1, 1, {300, 0, 50, 50});
  set.detections = {
      {1, 1, {300, 0, 50, 50}, 0.9}, {1, 1, {10, 10, 50, 50}, 0.8}, {1, 1, {500, 10, 50, 50}, 0.7}};
  const Breakdown b = break_down(set.truth, set.detections);
  EXPECT_EQ(b.overall.objects, 1u);
  EXPECT_EQ(b.overall.f1, 1) << "the second lies in the crowd, the third below the threshold";
  EXPECT_NEAR(b.overall.confidence, 0.8, 1e-12) << "between .9 and .7, which counts";
  EXPECT_TRUE(b.pictures.empty());
}

// Recall over all objects is what the COCO metric has, where one category makes objects and classes
// the same.
TEST(Breakdown, RecallIsThatOfTheMetric) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> of(0, 1);
  for (int round = 0; round < 20; ++round) {
    Set set = empty();
    set.truth.categories = {{1, "a"}};
    for (std::int64_t image = 1; image <= 3; ++image)
      for (int k = 0; k < 12; ++k) {
        const Ltwh box{300 * of(random), 300 * of(random), 20 + 100 * of(random),
                       20 + 100 * of(random)};
        set.object(image, 1, box, of(random) < 0.1);
        set.detections.push_back(
            {image,
             1,
             {box.left + 0.3 * of(random) * box.width, box.top, box.width, box.height},
             of(random)});
      }
    const Breakdown b = break_down(set.truth, set.detections);
    double average = 0, at50 = 0;
    std::size_t objects = 0;
    for (const ObjectBin& one : b.bins)
      if (one.property == "shape")
        average += one.average_recall * static_cast<double>(one.objects),
            at50 += one.recall50 * static_cast<double>(one.objects), objects += one.objects;
    const CocoResult coco = evaluate_coco(set.truth, set.detections);
    EXPECT_NEAR(average / static_cast<double>(objects), coco.stats[8], 1e-12) << round;
    EXPECT_NEAR(at50 / static_cast<double>(objects), coco.recall_at(0, 0, 0, 2), 1e-12) << round;
  }
}

}  // namespace yolov7::evaluation
