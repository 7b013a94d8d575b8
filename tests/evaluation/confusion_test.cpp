#include "evaluation/metrics/confusion.hpp"

#include <gtest/gtest.h>

#include "tests/evaluation/spec_data.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;
using namespace yolov7::evaluation::testing;

namespace {

using Table = std::vector<std::vector<std::size_t>>;

Table table(const ConfusionMatrix& m) {
  Table rows;
  for (int p = 0; p <= m.background(); ++p) {
    rows.emplace_back();
    for (int t = 0; t <= m.background(); ++t) rows.back().push_back(m.at(p, t));
  }
  return rows;
}

const Xyxy here{0, 0, 20, 10}, there{100, 0, 120, 10};

}  // namespace

// Evaluation 1.17, the fixed version.
TEST(Confusion, SpecificationExample) {
  ConfusionMatrix m(2);
  for (const std::int64_t image : {1, 2, 3}) {
    const SpecPicture picture = spec_picture(image);
    m.add(picture.detections, picture.targets);
  }
  EXPECT_EQ(table(m), (Table{{5, 2, 5}, {1, 1, 5}, {0, 1, 0}}));
  m.check();
}

TEST(Confusion, RowIsPredictedColumnIsTrue) {
  ConfusionMatrix m(2);
  m.add(std::vector<Detection>{{here, 0.9f, 1}}, std::vector<Target>{{here, 0}});
  EXPECT_EQ(table(m), (Table{{0, 0, 0}, {1, 0, 0}, {0, 0, 0}}));
}

TEST(Confusion, OneSidedPicturesCount) {
  ConfusionMatrix m(1);
  m.add({}, std::vector<Target>{{here, 0}});
  m.add(std::vector<Detection>{{here, 0.9f, 0}}, {});
  m.add(std::vector<Detection>{{here, 0.9f, 0}},
        std::vector<Target>{{there, 0}});  // no pair in the picture
  m.add({}, {});
  EXPECT_EQ(table(m), (Table{{0, 2}, {2, 0}}));
  m.check();
}

TEST(Confusion, ThresholdsAreStrict) {
  ConfusionMatrix m(1);
  m.add(std::vector<Detection>{{here, 0.25f, 0}},
        std::vector<Target>{{here, 0}});  // not above 0.25: as if it were not there
  EXPECT_EQ(table(m), (Table{{0, 0}, {1, 0}}));
  m.add(std::vector<Detection>{{{0, 0, 9, 10}, 0.26f, 0}},
        std::vector<Target>{{here, 0}});  // IoU 0.45
  EXPECT_EQ(table(m), (Table{{0, 1}, {2, 0}}));
}

// Both detections prefer the big target; the one that loses it does not fall back to the small one,
// although it is free.
TEST(Confusion, NoSecondChoice) {
  ConfusionMatrix m(1);
  const std::vector<Target> targets = {{{0, 0, 20, 10}, 0}, {{0, 0, 10, 10}, 0}};
  m.add(std::vector<Detection>{{{0, 0, 20, 10}, 0.9f, 0}, {{0, 0, 17, 10}, 0.8f, 0}}, targets);
  // IoU of big with the targets: 1 and 0.5; of small: 0.85 and 10/17.
  EXPECT_EQ(table(m), (Table{{1, 1}, {1, 0}}));
  m.check();
}
