#include "runtime/precision_choice.hpp"

#include <gtest/gtest.h>

using namespace yolov7;
using namespace yolov7::runtime;

namespace {

DetectResult result(std::vector<Detection> detections) {
  DetectResult out;
  out.detections = std::move(detections);
  return out;
}
const Detection box{{0, 0, 100, 100}, 0.8f, 0};

PrecisionVerdict compare(std::vector<Detection> reference, std::vector<Detection> candidate) {
  const std::vector<DetectResult> a{result(std::move(reference))}, b{result(std::move(candidate))};
  return compare_boxes(a, b, 0.25);
}

}  // namespace

TEST(PrecisionChoice, SameBoxesWithinTheRounding) {
  EXPECT_TRUE(compare({box}, {{{1, 0, 101, 100}, 0.78f, 0}}).same);   // IoU 99 / 101
  EXPECT_FALSE(compare({box}, {{{6, 0, 106, 100}, 0.8f, 0}}).same);   // IoU 94 / 106 = .887
  EXPECT_FALSE(compare({box}, {{{0, 0, 100, 100}, 0.76f, 0}}).same);  // .04
  EXPECT_FALSE(compare({box}, {{{0, 0, 100, 100}, 0.8f, 1}}).same);
  EXPECT_FALSE(compare({box}, {}).same);
  EXPECT_FALSE(compare({box}, {box, {{500, 0, 600, 100}, 0.5f, 0}}).same)
      << "one more is another result";
}

TEST(PrecisionChoice, NearTheThresholdABoxMayComeAndGo) {
  const Detection faint{{500, 0, 600, 100}, 0.27f, 0};
  EXPECT_TRUE(compare({box, faint}, {box}).same);
  EXPECT_TRUE(compare({box}, {box, faint}).same);
}

TEST(PrecisionChoice, NothingFoundIsNoEvidence) {
  const PrecisionVerdict verdict = compare({}, {});
  EXPECT_FALSE(verdict.same);
  EXPECT_NE(verdict.reason.find("nothing is found"), std::string::npos);
  std::vector<DetectResult> a{result({box})}, b{result({box})};
  b[0].dropped_not_finite = 3;
  EXPECT_FALSE(compare_boxes(a, b, 0.25).same);
}
