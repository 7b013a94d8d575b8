#include "training/loss/assignment.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "tests/training/synthetic.hpp"

namespace yolov7::training {
namespace {

using Cell = std::array<int, 4>;  // picture, anchor, row, column

std::vector<Cell> cells(const std::vector<Positive>& positives) {
  std::vector<Cell> result;
  for (const Positive& p : positives) result.push_back({p.image, p.anchor, p.row, p.column});
  return result;
}

TEST(RatioPositives, SetEInOrder) {
  const auto grids = synthetic::grids(3, 128);
  const Positives found = ratio_positives(synthetic::set_e, grids, 4, 0.5f);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].size(), 45u);
  EXPECT_EQ(found[1].size(), 39u);
  EXPECT_EQ(found[2].size(), 22u);
  using Row = std::array<int, 5>;  // picture, anchor, row, column, class
  const std::vector<Row> expected{
      {0, 0, 6, 4, 0}, {0, 0, 8, 8, 2},  {1, 0, 0, 15, 2}, {1, 0, 4, 2, 1},
      {0, 1, 6, 4, 0}, {0, 1, 8, 8, 1},  {0, 1, 8, 8, 2},  {1, 1, 0, 15, 2},
      {1, 1, 4, 2, 1}, {0, 2, 6, 4, 0},  {0, 2, 8, 8, 1},  {0, 2, 8, 8, 2},
      {1, 2, 4, 2, 1},                                     // own
      {1, 0, 4, 1, 1}, {1, 1, 4, 1, 1},  {1, 2, 4, 1, 1},  // left
      {0, 0, 7, 8, 2}, {1, 0, 3, 2, 1},  {0, 1, 7, 8, 1},  {0, 1, 7, 8, 2},
      {1, 1, 3, 2, 1}, {0, 2, 7, 8, 1},  {0, 2, 7, 8, 2},  {1, 2, 3, 2, 1},  // up
      {0, 0, 6, 5, 0}, {0, 0, 8, 9, 2},  {1, 0, 4, 2, 1},  {0, 1, 6, 5, 0},
      {0, 1, 8, 9, 1}, {0, 1, 8, 9, 2},  {1, 1, 4, 2, 1},  {0, 2, 6, 5, 0},
      {0, 2, 8, 9, 1}, {0, 2, 8, 9, 2},  {1, 2, 4, 2, 1},  // right
      {0, 0, 7, 4, 0}, {1, 0, 1, 15, 2}, {1, 0, 4, 2, 1},  {0, 1, 7, 4, 0},
      {0, 1, 8, 8, 1}, {1, 1, 1, 15, 2}, {1, 1, 4, 2, 1},  {0, 2, 7, 4, 0},
      {0, 2, 8, 8, 1}, {1, 2, 4, 2, 1}};  // down
  std::vector<Row> rows;
  for (const Positive& p : found[0])
    rows.push_back({p.image, p.anchor, p.row, p.column,
                    static_cast<int>(synthetic::set_e[static_cast<std::size_t>(p.target)][1])});
  EXPECT_EQ(rows, expected);
}

TEST(RatioPositives, SetSCounts) {
  const auto sizes = [](int levels, float reach) {
    std::vector<std::size_t> result;
    for (const auto& level :
         ratio_positives(synthetic::set_s, synthetic::grids(levels, 256), 4, reach))
      result.push_back(level.size());
    return result;
  };
  EXPECT_EQ(sizes(3, 0.5f), (std::vector<std::size_t>{15, 42, 27}));
  EXPECT_EQ(sizes(4, 0.5f), (std::vector<std::size_t>{33, 45, 15, 0}));
  EXPECT_EQ(sizes(4, 1.0f), (std::vector<std::size_t>{55, 75, 25, 0}));
}

LevelGrid one_anchor(int cells, float w, float h) { return {cells, cells, 8, {{w, h}}}; }

TEST(RatioPositives, RatioIsStrict) {
  const std::vector<LevelGrid> grid{one_anchor(16, 1, 4)};
  // 4 cells wide and high: w ratio exactly 4 → not kept at limit 4, kept just above.
  const std::vector<Target> target{{0, 0, 0.4f, 0.4f, 0.25f, 0.25f}};
  EXPECT_TRUE(ratio_positives(target, grid, 4, 0.5f)[0].empty());
  EXPECT_EQ(ratio_positives(target, grid, 4.001f, 0.5f)[0].size(), 3u);
}

TEST(RatioPositives, IntegerCentreRepeatsTheOwnCellAndHalfHasNoNeighbour) {
  const std::vector<LevelGrid> grid{one_anchor(16, 2, 2)};
  // Centre (4, 4) cells: left and right, up and down all fire; right and down repeat the own cell
  // (training K19).
  EXPECT_EQ(
      cells(ratio_positives(std::vector<Target>{{0, 0, 0.25f, 0.25f, 0.125f, 0.125f}}, grid, 4,
                            0.5f)[0]),
      (std::vector<Cell>{{0, 0, 4, 4}, {0, 0, 4, 3}, {0, 0, 3, 4}, {0, 0, 4, 4}, {0, 0, 4, 4}}));
  // Centre (4.5, 4.5): no fraction is below 0.5.
  EXPECT_EQ(cells(ratio_positives(std::vector<Target>{{0, 0, 0.28125f, 0.28125f, 0.125f, 0.125f}},
                                  grid, 4, 0.5f)[0]),
            (std::vector<Cell>{{0, 0, 4, 4}}));
}

TEST(RatioPositives, BorderHasNoNeighbourOutsideAndCellsAreClamped) {
  const std::vector<LevelGrid> grid{one_anchor(4, 1, 1)};
  // Centre (0.2, 3.8): left would be outside (x ≤ 1), down would be outside (H − y ≤ 1).
  EXPECT_EQ(cells(ratio_positives(std::vector<Target>{{0, 0, 0.05f, 0.95f, 0.25f, 0.25f}}, grid, 4,
                                  0.5f)[0]),
            (std::vector<Cell>{{0, 0, 3, 0}}));
  // A centre on the far border lies in the last cell.
  EXPECT_EQ(
      cells(ratio_positives(std::vector<Target>{{0, 0, 1, 1, 0.25f, 0.25f}}, grid, 4, 0.5f)[0])
          .front(),
      (Cell{0, 0, 3, 3}));
}

/// OTA on the synthetic maps.
Positives matched(int levels, float reach, int top) {
  const auto grids = synthetic::grids(levels, 256);
  const Positives candidates = ratio_positives(synthetic::set_s, grids, 4, reach);
  const auto maps = synthetic::maps(levels, 256);
  std::vector<std::vector<float>> rows;
  for (std::size_t l = 0; l < grids.size(); ++l) {
    rows.emplace_back();
    for (const Positive& p : candidates[l]) {
      const at::Tensor row = maps[l].detach()[p.image][p.anchor][p.row][p.column].contiguous();
      rows.back().insert(rows.back().end(), row.const_data_ptr<float>(),
                         row.const_data_ptr<float>() + row.numel());
    }
  }
  const std::vector<std::span<const float>> views(rows.begin(), rows.end());
  return ota_positives(candidates, views, synthetic::set_s, grids, 2, synthetic::class_count, top);
}

TEST(OtaPositives, ThreeLevels) {
  const Positives found = matched(3, 0.5f, 10);
  EXPECT_EQ(cells(found[0]), (std::vector<Cell>{{0, 2, 8, 21},
                                                {0, 2, 14, 19},
                                                {0, 2, 8, 22},
                                                {1, 2, 7, 12},
                                                {1, 2, 7, 11},
                                                {1, 2, 8, 12}}));
  EXPECT_EQ(
      cells(found[1]),
      (std::vector<Cell>{{0, 1, 7, 9}, {0, 0, 8, 6}, {0, 1, 9, 7}, {0, 1, 8, 9}, {1, 2, 5, 12}}));
  EXPECT_EQ(cells(found[2]), (std::vector<Cell>{{1, 0, 2, 6}}));
}

TEST(OtaPositives, FourLevels) {
  const Positives found = matched(4, 0.5f, 10);
  EXPECT_EQ(cells(found[0]),
            (std::vector<Cell>{{0, 1, 8, 21}, {1, 1, 7, 12}, {1, 1, 7, 11}, {1, 2, 7, 11}}));
  EXPECT_EQ(cells(found[1]), (std::vector<Cell>{{0, 0, 4, 10},
                                                {0, 1, 7, 9},
                                                {0, 1, 9, 6},
                                                {0, 0, 3, 10},
                                                {0, 1, 8, 6},
                                                {0, 0, 9, 7},
                                                {0, 2, 7, 10},
                                                {0, 2, 8, 9},
                                                {1, 0, 5, 12}}));
  EXPECT_TRUE(found[2].empty());
  EXPECT_TRUE(found[3].empty());
}

TEST(OtaPositives, LeadSideOfTheAuxiliaryLoss) {
  const Positives found = matched(4, 0.5f, 20);
  EXPECT_EQ(cells(found[0]), (std::vector<Cell>{{0, 1, 8, 21},
                                                {0, 1, 14, 19},
                                                {0, 1, 8, 22},
                                                {1, 0, 11, 25},
                                                {1, 1, 7, 12},
                                                {1, 1, 7, 11},
                                                {1, 2, 7, 11},
                                                {1, 1, 8, 12}}));
  EXPECT_EQ(cells(found[1]), (std::vector<Cell>{{0, 0, 9, 6},
                                                {0, 0, 4, 10},
                                                {0, 1, 7, 9},
                                                {0, 1, 9, 6},
                                                {0, 0, 3, 10},
                                                {0, 1, 8, 6},
                                                {0, 0, 9, 7},
                                                {0, 0, 4, 11},
                                                {0, 2, 7, 10},
                                                {0, 2, 8, 9},
                                                {1, 0, 5, 12}}));
}

TEST(OtaPositives, AuxiliarySide) {
  const Positives found = matched(4, 1.0f, 20);
  EXPECT_EQ(found[0].size(), 16u);
  EXPECT_EQ(cells(found[1]), (std::vector<Cell>{{0, 0, 4, 10},
                                                {0, 1, 9, 6},
                                                {0, 0, 4, 9},
                                                {0, 1, 7, 8},
                                                {0, 1, 9, 5},
                                                {0, 0, 3, 10},
                                                {0, 1, 6, 9},
                                                {0, 1, 8, 6},
                                                {0, 0, 9, 7},
                                                {0, 2, 7, 10},
                                                {0, 2, 8, 9},
                                                {1, 0, 5, 12}}));
  EXPECT_EQ(cells(found[2]), (std::vector<Cell>{{0, 1, 4, 4}}));
  EXPECT_TRUE(found[3].empty());
}

TEST(OtaPositives, SaturatedAndBrokenLogitsStayHarmless) {  // training F22
  const std::vector<LevelGrid> grid{one_anchor(8, 2, 2)};
  const std::vector<Target> targets{{0, 0, 0.4f, 0.4f, 0.25f, 0.25f},
                                    {0, 0, 0.4f, 0.45f, 0.25f, 0.25f}};
  const Positives candidates = ratio_positives(targets, grid, 4, 0.5f);
  for (const float value : {90.0f, -90.0f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> rows(candidates[0].size() * 6, value);
    const std::vector<std::span<const float>> views{rows};
    const Positives found = ota_positives(candidates, views, targets, grid, 1, 1, 10);
    EXPECT_GE(found[0].size(), 1u) << value;  // every target takes at least one candidate
  }
}

TEST(OtaPositives, WideInputUsesWidthAndHeight) {  // training F21
  // One level of 4 × 8 cells, so 64 × 32 pixels. Both candidates predict their cell's centre and
  // the anchor's size; the target sits exactly on the first. Scaling x by the height would put it
  // on the second's side of the picture.
  const std::vector<LevelGrid> grid{{4, 8, 8, {{2, 2}}}};
  const std::vector<Target> targets{
      {0, 0, 0.8125f, 0.375f, 0.25f, 0.5f}};  // centre (52, 12) px = cell (6, 1), 16 × 16 px
  const Positives candidates{{{0, 0, 1, 6, 0}, {0, 0, 1, 3, 0}}};
  const std::vector<float> rows(2 * 6, 0.0f);
  const std::vector<std::span<const float>> views{rows};
  EXPECT_EQ(cells(ota_positives(candidates, views, targets, grid, 1, 1, 10)[0]),
            (std::vector<Cell>{{0, 0, 1, 6}}));
}

std::string message(const Target& target) {
  try {
    check_targets(std::vector<Target>{target}, 2, 3);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckTargets, NamesTheRowAndTheRange) {
  EXPECT_EQ(message({1, 2, 0.5f, 0.5f, 1, 1}), "");
  EXPECT_EQ(message({2, 0, 0.5f, 0.5f, 1, 1}), "target row 0: image 2 is out of range 0..1");
  EXPECT_EQ(message({0, 3, 0.5f, 0.5f, 1, 1}), "target row 0: class 3 is out of range 0..2");
  EXPECT_NE(message({0, 0, 0.5f, 0.5f, 1.5f, 1}).find("fractions 0..1"), std::string::npos);
  EXPECT_NE(
      message({0, 0, std::numeric_limits<float>::quiet_NaN(), 0.5f, 1, 1}).find("fractions 0..1"),
      std::string::npos);
}

}  // namespace
}  // namespace yolov7::training
