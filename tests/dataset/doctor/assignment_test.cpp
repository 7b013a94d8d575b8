// Which boxes a network can learn: by hand for one anchor, by trying many scales for nine.
#include "dataset/doctor/assignment.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "tests/dataset/doctor/seeded_faults.hpp"

namespace yolov7::dataset::doctor {
namespace {

NetworkRule one_anchor() {
  NetworkRule rule;
  rule.levels = {{8, {{10, 20}}}};
  rule.least_scale = 0.5;
  rule.most_scale = 1.5;
  return rule;
}

TEST(Assignment, OneAnchorByHand) {
  // Ratios below 4 on both sides: scales from max(10/4w, 20/4h) to min(40/w, 80/h).
  EXPECT_DOUBLE_EQ(reach_of(10, 20, one_anchor()).share, 1);
  // 40 x 80: up to scale 1, so half of 0.5 … 1.5.
  EXPECT_DOUBLE_EQ(reach_of(40, 80, one_anchor()).share, 0.5);
  // 100 x 100: at most min(0.4, 0.8) = 0.4 < 0.5.
  EXPECT_EQ(reach_of(100, 100, one_anchor()).share, 0);
  EXPECT_EQ(reach_of(100, 200, one_anchor()).obstacle, Obstacle::too_large);
  // 1.6 x 10: kept above scale 1.25; the anchor takes it from max(1.5625, 0.5) on: never.
  EXPECT_EQ(reach_of(1.6, 10, one_anchor()).share, 0);
  EXPECT_EQ(reach_of(1.3, 10, one_anchor()).obstacle, Obstacle::too_tiny);
  EXPECT_EQ(reach_of(2, 4, one_anchor()).share, 1.5 - 1.25);
  EXPECT_EQ(reach_of(60, 3, one_anchor()).obstacle, Obstacle::too_thin);
  EXPECT_TRUE(reach_of(10, 20, one_anchor()).finest_only);
}

/// The definition, at 20,000 scales.
double tried_share(double w, double h, const NetworkRule& rule) {
  constexpr int steps = 20'000;
  int taken = 0;
  for (int i = 0; i < steps; ++i) {
    const double f = rule.least_scale + (rule.most_scale - rule.least_scale) * (i + 0.5) / steps;
    const double sw = w * f, sh = h * f;
    if (sw <= 2 || sh <= 2 || std::max(sw / sh, sh / sw) >= 20) continue;
    bool any = false;
    for (const auto& level : rule.levels)
      for (const auto& [aw, ah] : level.anchors)
        any = any || std::max({sw / aw, aw / sw, sh / ah, ah / sh}) < rule.anchor_threshold;
    taken += any ? 1 : 0;
  }
  return static_cast<double>(taken) / steps;
}

TEST(Assignment, NineAnchorsAgreeWithTheDefinitionTried) {
  const NetworkRule rule = test::usual_network();
  Random random(1, 0, 0, 0);
  for (int i = 0; i < 200; ++i) {
    const double w = std::exp(random.uniform(0, 7)), h = std::exp(random.uniform(0, 7));
    EXPECT_NEAR(reach_of(w, h, rule).share, tried_share(w, h, rule), 2e-4) << w << " x " << h;
  }
}

}  // namespace
}  // namespace yolov7::dataset::doctor
