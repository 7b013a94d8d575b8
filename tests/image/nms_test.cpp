#include "image/boxes/nms.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"

using namespace yolov7;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

// Boxes A … E of evaluation 2.5.
std::vector<Detection> spec_boxes() {
  return {{{0, 0, 10, 10}, 0.9f, 0},
          {{1, 1, 11, 11}, 0.8f, 0},
          {{5, 0, 15, 10}, 0.7f, 0},
          {{20, 20, 30, 30}, 0.6f, 0},
          {{0, 0, 10, 12}, 0.5f, 0}};
}

std::string letters(const std::vector<std::size_t>& kept) {
  std::string text;
  for (const std::size_t i : kept) text += static_cast<char>('A' + i);
  return text;
}

// Evaluation 2.1, steps 1 to 11, written down as they stand, without any regard to speed.
std::vector<Detection> literal_nms(const std::vector<float>& decoded, int nc, const NmsOptions& o) {
  const std::size_t columns = static_cast<std::size_t>(nc) + 5;
  const auto conf = static_cast<float>(o.conf_thres);
  std::vector<Detection> candidates;
  for (std::size_t r = 0; r * columns < decoded.size(); ++r) {
    const float* row = &decoded[r * columns];
    if (!(row[4] > conf)) continue;
    const Xyxy box{row[0] - row[2] / 2.0, row[1] - row[3] / 2.0, row[0] + row[2] / 2.0,
                   row[1] + row[3] / 2.0};
    std::vector<float> scores;
    for (int c = 0; c < nc; ++c) scores.push_back(nc == 1 ? row[4] : row[5 + c] * row[4]);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    for (int c = 0; c < nc; ++c)
      if (scores[static_cast<std::size_t>(c)] > conf && ((o.multi_label && nc > 1) || c == best))
        if (o.classes.empty() || std::count(o.classes.begin(), o.classes.end(), c))
          candidates.push_back({box, scores[static_cast<std::size_t>(c)], c});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Detection& x, const Detection& y) { return x.score > y.score; });
  if (candidates.size() > static_cast<std::size_t>(o.max_nms))
    candidates.resize(static_cast<std::size_t>(o.max_nms));
  std::vector<Detection> kept;
  for (const Detection& one : candidates) {
    bool keep = true;
    for (const Detection& other : kept)
      if ((o.agnostic || other.class_index == one.class_index) &&
          iou(other.box, one.box) > o.iou_thres)
        keep = false;
    if (keep) kept.push_back(one);
  }
  if (kept.size() > static_cast<std::size_t>(o.max_det))
    kept.resize(static_cast<std::size_t>(o.max_det));
  return kept;
}

// Few distinct scores, so that ties are common, and boxes dense enough to suppress each other.
std::vector<float> random_rows(std::size_t rows, int nc, std::uint32_t sample) {
  Random random(7, 0, sample, 0);
  std::vector<float> values;
  for (std::size_t r = 0; r < rows; ++r) {
    for (int k = 0; k < 2; ++k) values.push_back(static_cast<float>(random.uniform(0, 200)));
    for (int k = 0; k < 2; ++k) values.push_back(static_cast<float>(random.uniform(5, 60)));
    for (int k = 0; k < nc + 1; ++k)
      values.push_back(static_cast<float>(random.integer(0, 16)) / 16);
  }
  return values;
}

void expect_same(const std::vector<Detection>& found, const std::vector<Detection>& wanted,
                 const std::string& where) {
  ASSERT_EQ(found.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(found[i].box, wanted[i].box) << where << " row " << i;
    EXPECT_EQ(found[i].score, wanted[i].score) << where << " row " << i;
    EXPECT_EQ(found[i].class_index, wanted[i].class_index) << where << " row " << i;
  }
}

NmsResult run(const std::vector<float>& rows, int nc, const NmsOptions& options) {
  return non_maximum_suppression(rows.data(), rows.size() / (static_cast<std::size_t>(nc) + 5), nc,
                                 options);
}

}  // namespace

TEST(Suppress, HardRowsOfTheSpecification) {
  const auto boxes = spec_boxes();
  EXPECT_EQ(letters(suppress(boxes, 0.30, false, 300)), "AD");
  EXPECT_EQ(letters(suppress(boxes, 0.45, false, 300)), "ACD");
  EXPECT_EQ(letters(suppress(boxes, 0.70, false, 300)), "ABCD");
}

TEST(Suppress, ThresholdIsStrict) {
  // IoU is 50 / 100 exactly.
  const std::vector<Detection> boxes = {{{0, 0, 10, 10}, 0.9f, 0}, {{0, 0, 10, 5}, 0.8f, 0}};
  EXPECT_EQ(letters(suppress(boxes, 0.5, false, 300)), "AB");
  EXPECT_EQ(letters(suppress(boxes, std::nextafter(0.5, 0.0), false, 300)), "A");
}

TEST(Suppress, EqualScoresKeepTheirOrder) {
  const std::vector<Detection> boxes = {{{40, 0, 50, 10}, 0.5f, 0},
                                        {{0, 0, 10, 10}, 0.7f, 1},
                                        {{20, 0, 30, 10}, 0.5f, 0},
                                        {{0, 0, 10, 10}, 0.5f, 0},
                                        {{0, 0, 10, 10}, 0.5f, 0}};
  EXPECT_EQ(letters(suppress(boxes, 0.5, false, 300)), "BACD");
  EXPECT_EQ(letters(suppress(boxes, 0.5, false, 2)), "BA");
  EXPECT_EQ(letters(suppress(boxes, 0.5, true, 300)), "BAC");
}

TEST(Suppress, BoxesWithoutAreaNeverSuppress) {
  const std::vector<Detection> boxes = {
      {{5, 5, 5, 5}, 0.9f, 0}, {{5, 5, 5, 5}, 0.8f, 0}, {{0, 0, 9, 9}, 0.7f, 0}};
  EXPECT_EQ(letters(suppress(boxes, 0.0, false, 300)), "ABC");
}

TEST(Suppress, AnyClassIndexAndNothing) {
  EXPECT_TRUE(suppress({}, 0.5, false, 300).empty());
  const std::vector<Detection> boxes = {
      {{0, 0, 9, 9}, 0.9f, -1}, {{0, 0, 9, 9}, 0.8f, 2'000'000'000}, {{0, 0, 9, 9}, 0.7f, -1}};
  EXPECT_EQ(letters(suppress(boxes, 0.5, false, 300)), "AB");
}

TEST(Suppress, ClassesAreNotShifted) {
  // 4096 px apart and one class apart: an offset of 4096 px per class would lay the two on each
  // other.
  const std::vector<Detection> boxes = {{{4096, 4096, 4106, 4106}, 0.9f, 0},
                                        {{0, 0, 10, 10}, 0.8f, 1}};
  EXPECT_EQ(letters(suppress(boxes, 0.45, false, 300)), "AB");
}

TEST(Nms, ThresholdsAreStrictInFloat) {
  const float tenth = 0.1f;  // above 0.1 as a double; the same number as the threshold in float32
  const std::vector<float> rows = {50,      50,      10, 10, 1,  tenth,
                                   0,       /**/ 90, 50, 10, 10, tenth,
                                   1,       0,
                                   /**/ 10, 10,      10, 10, 1,  std::nextafter(tenth, 1.0f),
                                   0};
  NmsOptions options;
  options.conf_thres = 0.1;
  const NmsResult result = run(rows, 2, options);
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].box, (Xyxy{5, 5, 15, 15}));
}

TEST(Nms, ScoreIsTheProduct) {
  const NmsResult result = run({50, 60, 20, 10, 0.5f, 0.25f, 0.75f}, 2, {});
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].score, 0.375f);
  EXPECT_EQ(result.detections[0].class_index, 1);
  EXPECT_EQ(result.detections[0].box, (Xyxy{40, 55, 60, 65}));
}

TEST(Nms, OneClassScoreIsTheObjectness) {
  // The class column is not trained then: neither its value nor its finiteness matters.
  const NmsResult result =
      run({50, 60, 20, 10, 0.5f, 0.01f, /**/ 150, 60, 20, 10, 0.75f, not_a_number}, 1, {});
  ASSERT_EQ(result.detections.size(), 2u);
  EXPECT_EQ(result.detections[0].score, 0.75f);
  EXPECT_EQ(result.detections[1].score, 0.5f);
  EXPECT_EQ(result.highest_score, 0.75f);
  EXPECT_EQ(result.dropped_not_finite, 0u);
}

TEST(Nms, FirstClassWinsATie) {
  const NmsResult result = run({50, 60, 20, 10, 1, 0.25f, 0.5f, 0.5f}, 3, {});
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].class_index, 1);
}

TEST(Nms, MultiLabelGivesEveryClassInOrder) {
  NmsOptions options;
  options.multi_label = true;
  const NmsResult result = run({50, 60, 20, 10, 1, 0.5f, 0.25f, 0.5f, 0.75f}, 4, options);
  ASSERT_EQ(result.detections.size(), 3u);  // 0.25 does not exceed 0.25
  EXPECT_EQ(result.detections[0].class_index, 3);
  EXPECT_EQ(result.detections[1].class_index, 0);
  EXPECT_EQ(result.detections[2].class_index, 2);
}

TEST(Nms, ClassListComesAfterTheChoiceOfTheBestClass) {
  const std::vector<float> rows = {50, 60, 20, 10, 1, 0.5f, 0.75f};
  NmsOptions options;
  options.classes = {0};
  EXPECT_TRUE(run(rows, 2, options).detections.empty());
  options.multi_label = true;
  const NmsResult result = run(rows, 2, options);
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].class_index, 0);
}

TEST(Nms, ClassOutOfRangeIsAnError) {
  NmsOptions options;
  options.classes = {0, 2};
  try {
    run({50, 60, 20, 10, 1, 0.5f, 0.75f}, 2, options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "class 2 to keep is out of range 0..1");
    EXPECT_EQ(error.code(), ExitCode::usage);
  }
  EXPECT_THROW(run({50, 60, 20, 10, 1}, 0, {}), Error);
}

TEST(Nms, RowsThatAreNotFiniteAreDroppedAndCounted) {
  std::vector<float> rows;
  std::size_t bad = 0;
  const int nc = 11;  // more than one group of lanes and a rest
  for (std::size_t column = 0; column < 5 + nc; ++column)
    for (const float value : {not_a_number, infinity, -infinity}) {
      std::vector<float> row(5 + nc, 0.5f);
      row[column] = value;
      rows.insert(rows.end(), row.begin(), row.end());
      ++bad;
    }
  rows.insert(rows.end(), 5 + nc, 0.75f);
  // Finite, but the product is not.
  std::vector<float> huge(5 + nc, 0.5f);
  huge[4] = huge[5] = 3e38f;
  rows.insert(rows.end(), huge.begin(), huge.end());
  const NmsResult result = run(rows, nc, {});
  EXPECT_EQ(result.dropped_not_finite, bad + 1);
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].score, 0.75f * 0.75f);
  EXPECT_EQ(result.highest_score, 0.75f * 0.75f);
}

TEST(Nms, HighestScoreAlsoBelowTheThreshold) {
  NmsOptions options;
  options.conf_thres = 0.9;
  const NmsResult result =
      run({50, 60, 20, 10, 0.5f, 0.25f, 0.75f, /**/ 9, 9, 9, 9, 0.25f, 1, 1}, 2, options);
  EXPECT_TRUE(result.detections.empty());
  EXPECT_EQ(result.highest_score, 0.375f);
  EXPECT_EQ(run({}, 2, options).highest_score, 0.0f);
}

TEST(Nms, MaxNmsKeepsTheBest) {
  // The best candidate is the last row; of the two equal ones the first is kept.
  const std::vector<float> rows = {10,      10,    9, 9,       1,      0.5f, /**/ 30, 10,    9,
                                   9,       0.75f, 1, /**/ 50, 10,     9,    9,       0.75f, 1,
                                   /**/ 70, 10,    9, 9,       0.875f, 1};
  std::vector<float> two_classes;
  for (std::size_t r = 0; r < 4; ++r) {
    two_classes.insert(two_classes.end(), rows.begin() + static_cast<std::ptrdiff_t>(6 * r),
                       rows.begin() + static_cast<std::ptrdiff_t>(6 * r + 6));
    two_classes.push_back(0);
  }
  NmsOptions options;
  options.max_nms = 2;
  const NmsResult result = run(two_classes, 2, options);
  ASSERT_EQ(result.detections.size(), 2u);
  EXPECT_EQ(result.detections[0].box.x1, 65.5);
  EXPECT_EQ(result.detections[1].box.x1, 25.5);
  EXPECT_EQ(result.beyond_max_nms, 2u);
  options.max_nms = 4;
  EXPECT_EQ(run(two_classes, 2, options).beyond_max_nms, 0u);
}

TEST(Nms, EqualsTheLiteralSteps) {
  std::uint32_t sample = 0;
  for (const int nc : {1, 2, 5, 13})
    for (const bool multi_label : {false, true})
      for (const bool agnostic : {false, true})
        for (const int limit : {20, 300, 30000}) {
          NmsOptions options;
          options.conf_thres = 0.2;
          options.multi_label = multi_label;
          options.agnostic = agnostic;
          options.max_det = limit;
          options.max_nms = limit == 300 ? 150 : 30000;
          if (nc == 5) options.classes = {1, 3};
          const auto rows = random_rows(400, nc, sample++);
          expect_same(run(rows, nc, options).detections, literal_nms(rows, nc, options),
                      "nc " + std::to_string(nc) + " multi " + std::to_string(multi_label) +
                          " agnostic " + std::to_string(agnostic) + " limit " +
                          std::to_string(limit));
        }
}
