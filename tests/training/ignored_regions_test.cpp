// Weights of targets and ignored regions in the loss, by hand (training 23).
#include "training/loss/ignored_regions.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/scratch_folder.hpp"
#include "tests/training/synthetic.hpp"
#include "training/loss/loss.hpp"

namespace yolov7::training {
namespace {

LossOptions options(LossOptions::Kind kind) {
  LossOptions result;
  result.kind = kind;
  result.gains = {0.05, 0.3, 0.7};
  return result;
}

/// Of an image of 128 px whose logits are all 0: every predicted box is its anchor about the centre
/// of its cell.
std::vector<at::Tensor> zero_maps() {
  std::vector<at::Tensor> maps;
  for (const int cells : {16, 8, 4})
    maps.push_back(at::zeros({1, 3, cells, cells, 8}).requires_grad_(true));
  return maps;
}

// Anchors of the first level, in cells: 1.5 × 2, 2.375 × 4.5, 5 × 3.5. The region is 4 … 8 both
// ways. By columns and rows more than half of the box is inside at
//   1.5 × 2:     4 × 4 cells (at a corner .833 · .75 = .625)
//   2.375 × 4.5: columns 5, 6 with rows 4 … 7 (.611), columns 4, 7 with rows 5, 6 (.711 · .833): 12
//   5 × 3.5:     columns 5, 6 with rows 4 … 7 (.8 · .643), columns 4, 7 with rows 5, 6 (.6 · .929):
//   12
// On the other levels a box is more than twice as large as the region.
const dataset::IgnoredBox region{0, 0.375f, 0.375f, 0.25f, 0.25f};

TEST(IgnoredRegions, HoldThePredictionsOfWhichMoreThanHalfIsInside) {
  const std::vector<LevelGrid> grids = synthetic::grids(3, 128);
  const auto maps = zero_maps();
  const at::Tensor first = background_weights(maps[0], grids[0], std::vector{region});
  ASSERT_EQ(first.sizes(), (at::IntArrayRef{1, 3, 16, 16}));
  EXPECT_FALSE(first.requires_grad());
  const auto zeros = [](const at::Tensor& weights) {
    return (weights == 0).sum().item<std::int64_t>();
  };
  EXPECT_EQ(zeros(first[0][0]), 16);
  EXPECT_EQ(zeros(first[0][1]), 12);
  EXPECT_EQ(zeros(first[0][2]), 12);
  EXPECT_EQ(first[0][0][4][4].item<float>(), 0) << "row and column 4";
  EXPECT_EQ(first[0][0][3][4].item<float>(), 1);
  EXPECT_EQ(first[0][1][4][4].item<float>(), 1) << ".711 · .611 is below half";
  EXPECT_EQ(first[0][1][4][5].item<float>(), 0);
  EXPECT_EQ(first.sum().item<float>(), 768 - 40);
  for (const std::size_t level : {std::size_t{1}, std::size_t{2}})
    EXPECT_EQ(zeros(background_weights(maps[level], grids[level], std::vector{region})), 0);
  EXPECT_EQ(zeros(background_weights(maps[0], grids[0], {})), 0);
}

TEST(IgnoredRegions, BelongToTheirImage) {
  const std::vector<LevelGrid> grids = synthetic::grids(3, 128);
  dataset::IgnoredBox second = region;
  second[0] = 1;
  const at::Tensor weights =
      background_weights(at::zeros({2, 3, 16, 16, 8}), grids[0], std::vector{second});
  EXPECT_EQ(weights[0].sum().item<float>(), 768);
  EXPECT_EQ(weights[1].sum().item<float>(), 728);
}

/// Objectness of zero logits: ln 2 at each place that counts, balance 4, 1 and .4, gain .7.
double objectness(double places_of_768) {
  return 0.7 * std::log(2.0) * (4 * places_of_768 / 768 + 1 + 0.4);
}

TEST(MarkedLoss, IgnoredPredictionsAreNoBackground) {
  for (const auto kind : {LossOptions::Kind::plain, LossOptions::Kind::ota}) {
    Loss loss(options(kind), synthetic::network(3));
    const auto maps = zero_maps();
    const LossValue value = loss(maps, {}, {{}, {region}});
    EXPECT_NEAR(value.parts[1].item<double>(), objectness(728), 1e-6);
    value.total.backward();
    EXPECT_EQ(maps[0].grad()[0][0][5][5][4].item<float>(), 0);
    EXPECT_GT(maps[0].grad()[0][0][9][9][4].item<float>(), 0);
  }
}

// 12.8 × 16 px with its centre at 8.25 cells: all three anchors of the first level fit, those of
// the others do not (75 / 16 and 55 / 12.8 are above 4); the own cell, the left and the upper one:
// nine places, each with objectness ln 2 whatever its target is.
const Target small{0, 1, 8.25f / 16, 8.25f / 16, 0.1f, 0.125f};

TEST(MarkedLoss, ATargetCountsByItsWeight) {
  Loss loss(options(LossOptions::Kind::plain), synthetic::network(3));
  const LossValue whole = loss(zero_maps(), std::vector{small});
  const LossValue half = loss(zero_maps(), std::vector{small}, {{0.5f}, {}});
  EXPECT_GT(whole.parts[0].item<double>(), 0);
  EXPECT_NEAR(whole.parts[1].item<double>(), objectness(768), 1e-6);
  EXPECT_FLOAT_EQ(half.parts[0].item<float>(), whole.parts[0].item<float>() / 2);
  EXPECT_NEAR(half.parts[1].item<double>(), objectness(768 - 9 * 0.5), 1e-6);
  EXPECT_FLOAT_EQ(half.parts[2].item<float>(), whole.parts[2].item<float>() / 2);
  const LossValue none = loss(zero_maps(), std::vector{small}, {{0.0f}, {}});
  EXPECT_EQ(none.parts[0].item<double>(), 0);
  EXPECT_NEAR(none.parts[1].item<double>(), objectness(768 - 9), 1e-6);
  EXPECT_EQ(none.parts[2].item<double>(), 0);
}

// The second target has no weight: the mean over 18 positives is half of that over the nine of the
// first one. Both are of one shape at places of one kind.
TEST(MarkedLoss, TheMeanIsOverAllPositives) {
  Loss loss(options(LossOptions::Kind::plain), synthetic::network(3));
  Target other = small;
  other[2] = 4.25f / 16;
  const LossValue one = loss(zero_maps(), std::vector{small}),
                  two = loss(zero_maps(), std::vector{small, other}, {{1, 0}, {}});
  EXPECT_NEAR(two.parts[0].item<double>(), one.parts[0].item<double>() / 2, 1e-7);
  EXPECT_NEAR(two.parts[2].item<double>(), one.parts[2].item<double>() / 2, 1e-7);
}

// The target's nine places lie inside the region (its centre at 5.25 cells) and count: 31 of the 40
// do not.
TEST(MarkedLoss, AnObjectInARegionCounts) {
  Loss loss(options(LossOptions::Kind::plain), synthetic::network(3));
  Target inside = small;
  inside[2] = inside[3] = 5.25f / 16;
  EXPECT_NEAR(loss(zero_maps(), std::vector{inside}, {{}, {region}}).parts[1].item<double>(),
              objectness(768 - 31), 1e-6);
}

TEST(MarkedLoss, WeightsOfOneAreNoneToTheBit) {
  struct Case {
    LossOptions::Kind kind;
    int levels;
    double gamma;
  };
  for (const Case& one :
       {Case{LossOptions::Kind::plain, 3, 0}, Case{LossOptions::Kind::plain, 3, 1.5},
        Case{LossOptions::Kind::ota, 3, 0}, Case{LossOptions::Kind::auxiliary, 4, 0}}) {
    LossOptions o = options(one.kind);
    o.focal_gamma = one.gamma;
    o.label_smoothing = 0.1;
    const bool auxiliary = one.kind == LossOptions::Kind::auxiliary;
    Loss loss(o, synthetic::network(one.levels, auxiliary));
    const auto plain = synthetic::maps(one.levels, 256, auxiliary),
               marked = synthetic::maps(one.levels, 256, auxiliary);
    const LossValue a = loss(plain, synthetic::set_s),
                    b = loss(marked, synthetic::set_s,
                             {std::vector<float>(synthetic::set_s.size(), 1), {}});
    EXPECT_TRUE(at::equal(a.parts, b.parts));
    EXPECT_TRUE(at::equal(a.total, b.total));
    a.total.backward();
    b.total.backward();
    for (std::size_t i = 0; i < plain.size(); ++i)
      EXPECT_TRUE(at::equal(plain[i].grad(), marked[i].grad())) << i;
  }
}

TEST(MarkedLoss, MarksThatDoNotFitAreErrors) {
  const auto message = [](const dataset::TargetMarks& marks) {
    return test::error_of([&] { check_marks(marks, 2, 1); });
  };
  EXPECT_EQ(message({{1}, {}}), "weights of targets: expected 2, found 1");
  EXPECT_EQ(message({{1, 1.5f}, {}}), "weight of target row 1: expected 0..1, found 1.5");
  EXPECT_EQ(message({{}, {{1, 0, 0, 1, 1}}}), "ignored region 0: image 1 is out of range 0..0");
  EXPECT_EQ(message({{1, 0}, {{0, 0, 0, 1, 1}}}), "no error");
}

}  // namespace
}  // namespace yolov7::training
