#include "training/loss/ciou.hpp"

#include <gtest/gtest.h>

namespace yolov7::training {
namespace {

struct Fixture {  // training 21.1, double precision
  std::vector<double> prediction, target;
  double iou, giou, diou, ciou;
  std::vector<double> gradient;
};

const std::vector<Fixture> fixtures{
    {{0.5, 0.5, 1, 1}, {0.5, 0.5, 1, 1}, 0.9999997, 0.9999999, 0.9999997, 0.9999997, {0, 0, 0, 0}},
    {{2, 3, 4, 2},
     {2.5, 2.5, 3, 3},
     0.5454545,
     0.4621212,
     0.5254545,
     0.5219090,
     {0.177296, -0.248344, -0.026329, 0.123376}},
    {{1, 1, 2, 2},
     {10, 12, 4, 8},
     0,
     -0.8125,
     -0.5050000,
     -0.5066895,
     {0.014700, 0.014600, 0.012525, 0.022825}},
    {{0.3, 0.7, 2.5, 0.5},
     {0.1, 0.4, 1.0, 3.0},
     0.1333333,
     -0.3666666,
     0.1248087,
     -0.0279877,
     {-0.026230, -0.039344, -0.037335, 0.325096}},
};

at::Tensor boxes(bool targets) {
  std::vector<double> values;
  for (const Fixture& f : fixtures) {
    const auto& box = targets ? f.target : f.prediction;
    values.insert(values.end(), box.begin(), box.end());
  }
  return at::tensor(values, at::kDouble).view({-1, 4});
}

TEST(BoxIou, FamilyEqualsTheReference) {
  const at::Tensor p = boxes(false), t = boxes(true);
  const at::Tensor iou = box_iou(p, t, IouKind::iou), giou = box_iou(p, t, IouKind::giou),
                   diou = box_iou(p, t, IouKind::diou), ciou = box_iou(p, t);
  for (std::size_t i = 0; i < fixtures.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    // The table has seven decimals: half a unit of the last, plus the last digit's own rounding.
    EXPECT_NEAR(iou[n].item<double>(), fixtures[i].iou, 1.01e-7);
    EXPECT_NEAR(giou[n].item<double>(), fixtures[i].giou, 1.01e-7);
    EXPECT_NEAR(diou[n].item<double>(), fixtures[i].diou, 1.01e-7);
    EXPECT_NEAR(ciou[n].item<double>(), fixtures[i].ciou, 1.01e-7);
  }
}

TEST(BoxIou, GradientTreatsAlphaAsConstant) {
  at::Tensor p = boxes(false).requires_grad_(true);
  box_iou(p, boxes(true)).sum().backward();
  for (std::size_t i = 0; i < fixtures.size(); ++i)
    for (std::size_t k = 0; k < 4; ++k)  // six decimals
      EXPECT_NEAR(
          p.grad()[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(k)].item<double>(),
          fixtures[i].gradient[k], 1e-6)
          << "fixture " << i << " coordinate " << k;
}

TEST(BoxIou, GradientOfDistanceTermsEqualsFiniteDifferences) {
  const at::Tensor t = boxes(true).slice(0, 1, 4);
  for (const IouKind kind : {IouKind::giou, IouKind::diou}) {
    at::Tensor p = boxes(false).slice(0, 1, 4).clone().requires_grad_(true);
    box_iou(p, t, kind).sum().backward();
    at::NoGradGuard no_gradient;
    const double step = 1e-6;
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t k = 0; k < 4; ++k) {
        at::Tensor up = p.detach().clone(), down = p.detach().clone();
        up[i][k] += step;
        down[i][k] -= step;
        const double slope =
            (box_iou(up, t, kind)[i] - box_iou(down, t, kind)[i]).item<double>() / (2 * step);
        EXPECT_NEAR(p.grad()[i][k].item<double>(), slope,
                    1e-7);  // error of the difference: step² · third derivative + 1e-16 / step
      }
  }
}

TEST(BoxIou, OfNoBoxesIsEmpty) {
  EXPECT_EQ(box_iou(at::empty({0, 4}), at::empty({0, 4})).numel(), 0);
}

}  // namespace
}  // namespace yolov7::training
