#include "image/boxes/suppression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/random.hpp"
#include "image/boxes/nms.hpp"

using namespace yolov7;

namespace {

// Boxes A … E of evaluation 2.5.
const std::vector<Detection> boxes{{{0, 0, 10, 10}, 0.9f, 0},
                                   {{1, 1, 11, 11}, 0.8f, 0},
                                   {{5, 0, 15, 10}, 0.7f, 0},
                                   {{20, 20, 30, 30}, 0.6f, 0},
                                   {{0, 0, 10, 12}, 0.5f, 0}};

// Letter → score; the specification prints six decimals, so half a unit of the sixth and the
// float's rounding are allowed.
void expect_scores(const std::vector<Detection>& found, const std::map<char, double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 1; i < found.size(); ++i) EXPECT_GE(found[i - 1].score, found[i].score);
  for (const auto& [letter, score] : wanted) {
    const Xyxy& box = boxes[static_cast<std::size_t>(letter - 'A')].box;
    const auto one =
        std::find_if(found.begin(), found.end(), [&](const Detection& d) { return d.box == box; });
    ASSERT_NE(one, found.end()) << letter;
    EXPECT_NEAR(one->score, score, 6e-7) << letter;
  }
}

std::string letters(const std::vector<Detection>& found) {
  std::string out;
  for (const Detection& one : found)
    for (std::size_t i = 0; i < boxes.size(); ++i)
      if (boxes[i].box == one.box) out += static_cast<char>('A' + i);
  return out;
}

std::vector<Detection> random_crowd(std::uint32_t sample) {
  Random random(3, 0, sample, 0);
  std::vector<Detection> out;
  for (int i = 0; i < 40; ++i) {
    const double x = random.uniform(0, 60), y = random.uniform(0, 60), w = random.uniform(10, 40),
                 h = random.uniform(10, 40);
    out.push_back({{x, y, x + w, y + h}, static_cast<float>(random.uniform(0.05, 1)), 0});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return out;
}

// The iteration of the Cluster-NMS paper over the whole matrix, as evaluation 2.4 (d) has it.
std::vector<int> iterated(const std::vector<std::vector<double>>& x, double threshold,
                          int& rounds) {
  const std::size_t n = x.size();
  std::vector<int> keep(n, 1);
  for (rounds = 1; rounds <= static_cast<int>(n) + 1; ++rounds) {
    std::vector<int> next(n, 1);
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t i = 0; i < j; ++i)
        if (keep[i] && x[i][j] > threshold) next[j] = 0;
    if (next == keep) break;
    keep = next;
  }
  return keep;
}

std::vector<std::vector<double>> upper(const std::vector<Detection>& d, double beta) {
  std::vector<std::vector<double>> x(d.size(), std::vector<double>(d.size(), 0));
  for (std::size_t i = 0; i < d.size(); ++i)
    for (std::size_t j = i + 1; j < d.size(); ++j)
      x[i][j] = iou(d[i].box, d[j].box) -
                (beta > 0 ? std::pow(centre_distance_penalty(d[i].box, d[j].box), beta) : 0);
  return x;
}

}  // namespace

TEST(Suppression, PenaltyOfTheSpecification) {
  const auto r = [](int i, int j) {
    return centre_distance_penalty(boxes[static_cast<std::size_t>(i)].box,
                                   boxes[static_cast<std::size_t>(j)].box);
  };
  EXPECT_NEAR(r(0, 1), 0.008264, 5e-7);
  EXPECT_NEAR(r(0, 2), 0.076923, 5e-7);
  EXPECT_NEAR(r(0, 4), 0.004098, 5e-7);
  EXPECT_NEAR(r(1, 2), 0.053628, 5e-7);
  EXPECT_NEAR(r(1, 4), 0.003774, 5e-7);
  EXPECT_NEAR(r(2, 4), 0.070461, 5e-7);
  EXPECT_EQ(centre_distance_penalty({5, 5, 5, 5}, {5, 5, 5, 5}), 0);
}

TEST(Suppression, DiouOfTheSpecification) {
  EXPECT_EQ(letters(diou_suppression(boxes, 0.30, 1)), "ACD");
  EXPECT_EQ(letters(diou_suppression(boxes, 0.65, 0.6)), "ABCD");
  EXPECT_EQ(letters(diou_suppression(boxes, 0.65, 1)), "ACD");
}

TEST(Suppression, AdaptiveByHand) {
  // Greedy suppression at .7 keeps A, B, C, D apart. A's nearest neighbour is B (.6807), and B's A,
  // so that is their threshold: B and C stay beside A, E (.8333 with A) does not.
  EXPECT_EQ(letters(adaptive_suppression(boxes, 0.45, {})), "ABCD");
  // Neighbours must be about as sure: B (.8) is not 95 % of A (.9), so A's density is 0 and the
  // threshold .45; B and E go.
  CrowdOptions options;
  options.adaptive_share = 0.95;
  EXPECT_EQ(letters(adaptive_suppression(boxes, 0.45, options)), "ACD");
  // Where greedy suppression leaves one of each already, there are no neighbours: hard suppression.
  options = {};
  options.adaptive_distinct = 0.3;
  EXPECT_EQ(letters(adaptive_suppression(boxes, 0.3, options)), "AD");
}

TEST(Suppression, SoftOfTheSpecification) {
  expect_scores(soft_suppression(boxes, false, 0, {}),
                {{'A', 0.9}, {'D', 0.6}, {'C', 0.466667}, {'B', 0.160976}, {'E', 0.025641}});
  expect_scores(soft_suppression(boxes, true, 0, {}),
                {{'A', 0.9}, {'D', 0.6}, {'C', 0.560516}, {'B', 0.240901}, {'E', 0.040211}});
  // The threshold looks at the decayed scores.
  EXPECT_EQ(letters(soft_suppression(boxes, true, 0.25, {})), "ADC");
}

TEST(Suppression, MatrixOfTheSpecification) {
  expect_scores(matrix_suppression(boxes, false, {}),
                {{'A', 0.9}, {'B', 0.255462}, {'C', 0.466667}, {'D', 0.6}, {'E', 0.083333}});
  expect_scores(matrix_suppression(boxes, true, {}),
                {{'A', 0.9}, {'B', 0.316709}, {'C', 0.560516}, {'D', 0.6}, {'E', 0.124676}});
  CrowdOptions options;
  options.matrix_threshold = 0.3;
  EXPECT_EQ(letters(matrix_suppression(boxes, false, options)), "ADC");
  // Equal boxes: 1 − q = 0 must not divide.
  const std::vector<Detection> equal(3, boxes[0]);
  for (const Detection& one : matrix_suppression(equal, false, {}))
    EXPECT_TRUE(std::isfinite(one.score));
}

TEST(Suppression, ClusterOfTheSpecification) {
  EXPECT_EQ(letters(cluster_suppression(boxes, NmsKind::cluster, 0.35, {})), "ACD");
  int rounds = 0;
  EXPECT_EQ(iterated(upper(boxes, 0), 0.35, rounds), (std::vector<int>{1, 0, 1, 1, 0}));
  EXPECT_EQ(rounds, 3);
  expect_scores(cluster_suppression(boxes, NmsKind::cluster_spm, 0.45, {}),
                {{'A', 0.9}, {'B', 0.078889}, {'C', 0.401627}, {'D', 0.6}, {'E', 0.010073}});
  CrowdOptions options;
  options.diou_beta = 1;
  expect_scores(cluster_suppression(boxes, NmsKind::cluster_spm_dist, 0.45, options),
                {{'A', 0.9}, {'B', 0.085500}, {'C', 0.455474}, {'D', 0.6}, {'E', 0.012641}});
  expect_scores(cluster_suppression(boxes, NmsKind::cluster_spm_dist, 0.45, {}),
                {{'A', 0.9}, {'B', 0.123910}, {'C', 0.551849}, {'D', 0.6}, {'E', 0.028981}});
}

TEST(Suppression, ClusterIsTheFixedPointOfItsIteration) {
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    const std::vector<Detection> crowd = random_crowd(sample);
    int rounds = 0;
    for (const bool distance : {false, true}) {
      const std::vector<int> keep = iterated(upper(crowd, distance ? 0.9 : 0), 0.4, rounds);
      std::vector<Xyxy> wanted, found;
      for (std::size_t i = 0; i < crowd.size(); ++i)
        if (keep[i]) wanted.push_back(crowd[i].box);
      for (const Detection& one :
           cluster_suppression(crowd, distance ? NmsKind::cluster_diou : NmsKind::cluster, 0.4, {}))
        found.push_back(one.box);
      EXPECT_EQ(found, wanted) << sample << distance;
    }
  }
}

TEST(Suppression, WeightedCoordinatesByHand) {
  // IoU .9 and a weight of .5 · .9 against .8; the third overlaps by less than .8 and does not
  // count.
  const std::vector<Detection> three{
      {{0, 0, 10, 10}, 0.8f, 0}, {{0, 0, 10, 9}, 0.5f, 0}, {{0, 0, 10, 6}, 0.4f, 0}};
  CrowdOptions options;
  options.cluster_weighted = true;
  const auto found = cluster_suppression(three, NmsKind::cluster, 0.5, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].box.y2, (0.8 * 10 + 0.45 * 9) / (0.8 + 0.45), 1e-6);
  EXPECT_NEAR(found[0].box.x2, 10, 1e-9);
}

TEST(Suppression, MergedBoxesByHand) {
  // A with B (IoU .6807), E (.8333): mean by score. C and D overlap nothing by more than .65 and
  // are not redundant.
  const auto kept = suppress(boxes, 0.65, false, 300);
  std::vector<Detection> hard;
  for (const std::size_t i : kept) hard.push_back(boxes[i]);
  const auto found = merge_boxes(boxes, hard, 0.65);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].score, 0.9f);
  EXPECT_NEAR(found[0].box.x1, 0.8 / 2.2, 1e-6);
  EXPECT_NEAR(found[0].box.y2, (0.9 * 10 + 0.8 * 11 + 0.5 * 12) / 2.2, 1e-6);
}

// Boxes apart from each other: merging leaves out each of them, and suppression none.
TEST(Suppression, BoxesAreMergedBetweenTwoAnd3000Candidates) {
  NmsOptions options;
  options.merge = true;
  options.max_det = 5000;
  for (const auto& [count, left] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {2, 0}, {2999, 0}, {3000, 3000}}) {
    std::vector<Detection> apart(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double x = 10.0 * static_cast<double>(i);
      apart[i] = {{x, 0, x + 5, 5}, 0.5f, 0};
    }
    EXPECT_EQ(select_detections({&apart, 1}, options).size(), left) << count;
  }
}

// Of three kept boxes the first two count; the second one has no other candidate about it.
TEST(Suppression, TheLimitOfAllClassesComesBeforeTheMerging) {
  const Xyxy a{0, 0, 10, 10}, b{20, 0, 30, 10}, c{40, 0, 50, 10};
  const std::vector<Detection> candidates{
      {a, 0.9f, 0}, {a, 0.8f, 0}, {b, 0.7f, 1}, {c, 0.6f, 2}, {c, 0.5f, 2}};
  NmsOptions options;
  options.merge = true;
  options.max_det = 2;
  const auto found = select_detections({&candidates, 1}, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].score, 0.9f);
  options.max_det = 3;
  EXPECT_EQ(select_detections({&candidates, 1}, options).size(), 2u);
}

TEST(Suppression, KindsKeepClassesApartAndTheLimit) {
  // The same five boxes as class 1 and 2; row form: cx, cy, w, h, objectness, two class
  // probabilities.
  std::vector<float> rows;
  for (const int c : {0, 1})
    for (const Detection& d : boxes) {
      for (const double v :
           {(d.box.x1 + d.box.x2) / 2, (d.box.y1 + d.box.y2) / 2, d.box.width(), d.box.height()})
        rows.push_back(static_cast<float>(v));
      for (const float v : {1.0f, c == 0 ? d.score : 0.0f, c == 1 ? d.score : 0.0f})
        rows.push_back(v);
    }
  NmsOptions options;
  options.conf_thres = 0.01;
  const std::vector<std::string_view> names = nms_kind_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::string_view name = names[k];
    options.kind = static_cast<NmsKind>(k);
    options.max_det = 300;
    const auto found = non_maximum_suppression(rows.data(), 10, 2, options).detections;
    EXPECT_EQ(found.size() % 2, 0u) << name;
    for (std::size_t i = 0; i + 1 < found.size(); i += 2) {
      EXPECT_EQ(found[i].box, found[i + 1].box) << name;
      EXPECT_EQ(found[i].score, found[i + 1].score) << name;
      EXPECT_EQ(found[i].class_index + found[i + 1].class_index, 1) << name;
    }
    options.max_det = 3;
    EXPECT_EQ(non_maximum_suppression(rows.data(), 10, 2, options).detections.size(), 3u) << name;
  }
}
