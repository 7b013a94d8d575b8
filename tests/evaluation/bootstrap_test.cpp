// Weighted metrics next to the metric on a set in which each picture is copied that often, and
// bootstrap intervals next to closed forms. Also compare() and calibration().
#include "evaluation/analyses/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/error.hpp"
#include "tests/evaluation/spec_data.hpp"
#include "tests/stopping.hpp"

namespace yolov7::evaluation {
namespace {

struct Set {
  CocoGroundTruth truth;
  std::vector<CocoDetection> detections;
};

Set random_set(unsigned seed, int pictures) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> of(0, 1);
  Set set;
  set.truth.categories = {{1, "a"}, {2, "b"}, {3, "without objects"}};
  for (int i = 1; i <= pictures; ++i) {
    set.truth.images.push_back(i);
    for (int k = 0; k < 3; ++k) {
      const Ltwh box{300 * of(random), 300 * of(random), 20 + 80 * of(random),
                     20 + 80 * of(random)};
      const std::int64_t category = 1 + static_cast<std::int64_t>(random() % 2);
      set.truth.annotations.push_back({static_cast<std::int64_t>(set.truth.annotations.size()) + 1,
                                       i, category, box, box.width * box.height, of(random) < 0.1});
      const double shift = 0.4 * of(random) * box.width;
      set.detections.push_back(
          {i,
           of(random) < 0.8 ? category : 1 + static_cast<std::int64_t>(random() % 3),
           {box.left + shift, box.top, box.width, box.height},
           of(random)});
    }
  }
  return set;
}

TEST(Bootstrap, WeightsOfOneGiveTheMetric) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Set set = random_set(seed, 12);
    const CocoMatches matches = match_coco(set.truth, set.detections);
    const Headline found = weighted_headline(matches, std::vector<std::uint32_t>(12, 1));
    const CocoResult expected = evaluate_coco(set.truth, set.detections);
    EXPECT_NEAR(found.map, expected.stats[0], 1e-12);
    EXPECT_NEAR(found.map50, expected.stats[1], 1e-12);
  }
  const CocoMatches spec = match_coco(testing::spec_truth(), testing::spec_detections());
  EXPECT_NEAR(weighted_headline(spec, {1, 1, 1}).map50,
              evaluate_coco(testing::spec_truth(), testing::spec_detections()).stats[1], 1e-12);
}

TEST(Bootstrap, AWeightCountsAsCopiesOfThePicture) {
  const Set set = random_set(77, 8);
  const std::vector<std::uint32_t> weights{0, 2, 1, 3, 0, 1, 1, 4};
  Set copied{{{}, set.truth.categories, {}, {}}, {}};
  for (std::size_t i = 0; i < weights.size(); ++i)
    for (std::uint32_t copy = 0; copy < weights[i]; ++copy) {
      const auto name = static_cast<std::int64_t>(copied.truth.images.size()) + 1;
      copied.truth.images.push_back(name);
      for (CocoAnnotation a : set.truth.annotations)
        if (a.image == static_cast<std::int64_t>(i) + 1) {
          a.image = name, a.id = static_cast<std::int64_t>(copied.truth.annotations.size()) + 1;
          copied.truth.annotations.push_back(a);
        }
      for (CocoDetection d : set.detections)
        if (d.image == static_cast<std::int64_t>(i) + 1)
          d.image = name, copied.detections.push_back(d);
    }
  const Headline found = weighted_headline(match_coco(set.truth, set.detections), weights);
  const CocoResult expected = evaluate_coco(copied.truth, copied.detections);
  EXPECT_NEAR(found.map50, expected.stats[1], 1e-12);
  EXPECT_NEAR(found.map, expected.stats[0], 1e-12);
}

// Ten objects in one picture, all found, and one in another, not found: recall 10/11, AP = 91 /
// 101. A draw has both pictures (half of the draws: 91 / 101), the first twice (a quarter: 1) or
// the second twice (a quarter: 0): mean .7005. Moved by .2005 the upper end, 1, would be 1.2; the
// lower one, 0, is .2005, with a standard error of .4 / √4000.
TEST(Bootstrap, AnIntervalStaysWhereTheFigureCanBe) {
  Set set;
  set.truth.categories = {{1, "a"}};
  set.truth.images = {1, 2};
  for (std::int64_t i = 1; i <= 10; ++i) {
    const Ltwh box{50.0 * static_cast<double>(i), 10, 40, 40};
    set.truth.annotations.push_back({i, 1, 1, box, 1600, false});
    set.detections.push_back({1, 1, box, 0.9});
  }
  set.truth.annotations.push_back({11, 2, 1, {10, 10, 40, 40}, 1600, false});
  BootstrapOptions options;
  options.draws = 4000;
  const HeadlineIntervals found = bootstrap(match_coco(set.truth, set.detections), options);
  EXPECT_NEAR(found.map50.value, 91.0 / 101, 1e-12);
  EXPECT_EQ(found.map50.high, 1);
  EXPECT_EQ(found.map.high, 1);
  EXPECT_NEAR(found.map50.low, 0.2005, 0.03);
}

// The first picture has an object, which is found exactly; the second has none, and nothing is
// found there. A draw that has the first picture has mAP 1. A draw of the second alone, a quarter
// of them, has no mAP: it is not one of 0.
TEST(Bootstrap, DrawsWithoutObjectsTakeNoPart) {
  Set set;
  set.truth.categories = {{1, "a"}};
  set.truth.images = {1, 2};
  set.truth.annotations = {{1, 1, 1, {10, 10, 40, 40}, 1600, false}};
  set.detections = {{1, 1, {10, 10, 40, 40}, 0.9}};
  const CocoMatches all = match_coco(set.truth, set.detections),
                    nothing = match_coco(set.truth, {});
  const HeadlineIntervals found = bootstrap(all);
  EXPECT_NEAR(found.map.value, 1, 1e-12);
  EXPECT_NEAR(found.map.low, 1, 1e-9);
  EXPECT_NEAR(found.map50.high, 1, 1e-9);
  const Comparison better = compare(nothing, all);
  EXPECT_NEAR(better.map.value, 1, 1e-12);
  EXPECT_NEAR(better.map.low, 1, 1e-9);
  EXPECT_EQ(better.map_better, 1) << "not 7 / 8, with half of the draws without an object";
  // No object at all.
  set.truth.annotations.clear();
  const CocoMatches none = match_coco(set.truth, set.detections);
  EXPECT_EQ(bootstrap(none).map.high, 0);
  EXPECT_EQ(compare(none, none).map.low, 0);
  EXPECT_EQ(compare(none, none).map_better, 0.5);
}

// 95 %: 2.5 % on either side are one draw of 40. Better on each of 5 pictures: chance does that
// with 2 / 32 = 6.25 %, of 6 pictures 2 / 64 = 3.1 %.
TEST(Bootstrap, SaysWhereAnIntervalShowsNothing) {
  BootstrapOptions options;
  options.draws = 40;
  EXPECT_EQ(too_few(6, options), "");
  EXPECT_EQ(too_few(5000, options), "");
  EXPECT_EQ(too_few(5, options), "5 images are too few for an interval of 95 %, which wants 6");
  EXPECT_NE(too_few(1, options), "");
  options.draws = 39;
  EXPECT_EQ(too_few(5000, options), "39 draws are too few for an interval of 95 %, which wants 40");
}

// 50 pictures with one object each; 30 objects are found exactly, nothing is found wrongly. In a
// draw the objects of k pictures are found, k is binomial (50, 0.6), and AP = (⌊100 k / 50⌋ + 1) /
// 101: mean (100 · 0.6 + 1) / 101, standard deviation 100 / 101 · √(0.24 / 50). The expected
// interval uses the normal distribution; its quantiles differ from the binomial's by at most half a
// step of 1/50 (0.01). The other 0.0025 are for the random error of 4,000 draws.
TEST(Bootstrap, IntervalsEqualTheBinomialOnes) {
  Set set;
  set.truth.categories = {{1, "a"}};
  for (int i = 1; i <= 50; ++i) {
    set.truth.images.push_back(i);
    set.truth.annotations.push_back({i, i, 1, {0, 0, 50, 50}, 2500, false});
    if (i <= 30) set.detections.push_back({i, 1, {0, 0, 50, 50}, 0.5 + 0.001 * i});
  }
  const HeadlineIntervals found =
      bootstrap(match_coco(set.truth, set.detections), {4000, 0.95, 3, 1});
  const double mean = (100 * 0.6 + 1) / 101, deviation = 100.0 / 101 * std::sqrt(0.24 / 50);
  EXPECT_NEAR(found.map.value, mean, 1e-12);
  EXPECT_NEAR(found.map.low, mean - 1.96 * deviation, 0.0125);
  EXPECT_NEAR(found.map.high, mean + 1.96 * deviation, 0.0125);
  const HeadlineIntervals again =
      bootstrap(match_coco(set.truth, set.detections), {4000, 0.95, 3, 2});
  EXPECT_EQ(found.map50.low, again.map50.low);  // the same for 1 and 2 threads
  EXPECT_THROW(bootstrap({}, {}), Error);
}

TEST(Compare, PairedDifferences) {
  const Set set = random_set(5, 40);
  const CocoMatches a = match_coco(set.truth, set.detections);
  const Comparison same = compare(a, a);
  EXPECT_EQ(same.map.value, 0);
  EXPECT_EQ(same.map.low, 0);
  EXPECT_EQ(same.map.high, 0);
  EXPECT_EQ(same.map_better, 0.5);
  // b finds everything exactly: its mAP is 1 on every draw, so the interval of the difference is
  // that of 1 − a.
  std::vector<CocoDetection> exact;
  for (const CocoAnnotation& g : set.truth.annotations)
    if (!g.crowd) exact.push_back({g.image, g.category, g.box, 0.9});
  const Comparison better = compare(a, match_coco(set.truth, exact));
  const HeadlineIntervals own = bootstrap(a);
  EXPECT_NEAR(better.map.low, 1 - own.map.high, 1e-9);
  EXPECT_NEAR(better.map.high, 1 - own.map.low, 1e-9);
  EXPECT_EQ(better.map50_better, 1);
  CocoMatches other = a;
  other.pictures = 3;
  EXPECT_THROW(compare(a, other), Error);
  other = a;
  other.categories[0].objects[0] += 1;  // an object of another picture
  EXPECT_THROW(compare(a, other), Error);
}

TEST(Calibration, ByHand) {
  CocoMatches matches;
  matches.pictures = 1;
  // Bin 0.9: scores .95, .92, .91, two of three right. Bin 0.1: .15, wrong. The detection of score
  // .5 is ignored. A score of 1 falls into the last bin.
  matches.categories = {
      {1,
       {{0.95, 0, 1, 0}, {0.92, 0, 0, 0}, {0.91, 0, 3, 0}, {0.5, 0, 0, 1}, {0.15, 0, 2, 0}},
       {0},
       {},
       {}},
      {2, {{1.0, 0, 1, 0}}, {0}, {}, {}}};
  const Calibration c = calibration(matches);
  EXPECT_EQ(c.detections, 5u);
  EXPECT_EQ(c.bins[9].count, 4u);
  EXPECT_NEAR(c.bins[9].confidence, (0.95 + 0.92 + 0.91 + 1) / 4, 1e-12);
  EXPECT_NEAR(c.bins[9].precision, 0.75, 1e-12);
  EXPECT_EQ(c.bins[1].count, 1u);
  EXPECT_NEAR(c.expected_error, 0.8 * std::abs(0.75 - 0.945) + 0.2 * 0.15, 1e-12);
}

TEST(Bootstrap, EndsWhereItIsStopped) {
  const Set set = random_set(1, 10);
  const CocoMatches matches = match_coco(set.truth, set.detections);
  BootstrapOptions options;
  options.stop = test::stopped();
  EXPECT_TRUE(test::is_stopped([&] { bootstrap(matches, options); }));
  EXPECT_TRUE(test::is_stopped([&] { compare(matches, matches, options); }));
}

}  // namespace
}  // namespace yolov7::evaluation
