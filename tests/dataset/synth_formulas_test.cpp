#include "dataset/synth/synth_formulas.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <cmath>
#include <set>

#include "dataset/synth/synth_scene.hpp"

namespace yolov7::dataset {
namespace {

constexpr int side = 48, turns = 24;
using Mask = std::bitset<side * side>;

Mask mask(const Outline& outline, double turn) {
  const cv::Mat coverage =
      outline_coverage(place_outline(outline, {side / 2.0, side / 2.0}, side / 2.0 - 1, 1, turn),
                       cv::Rect(0, 0, side, side));
  Mask result;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      result[static_cast<std::size_t>(y * side + x)] = coverage.at<float>(y, x) > 0.5F;
  return result;
}

TEST(Formulas, LieInTheUnitDiscAndHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Formula& formula : formulas(56)) {
    names.insert(formula.name);
    double farthest = 0;
    const Outline outline = formula_outline(formula);
    for (const cv::Point2d& p : outline) farthest = std::max(farthest, std::hypot(p.x, p.y));
    EXPECT_NEAR(farthest, 1, 1e-9) << formula.name;
    EXPECT_GT(outline_area(outline), 0.25) << formula.name;
  }
  EXPECT_EQ(names.size(), 56u);
}

TEST(Formulas, ASequenceThatGrowsKeepsItsBeginning) {
  const auto few = formulas(5), many = formulas(20);
  for (std::size_t i = 0; i < few.size(); ++i)
    EXPECT_EQ(formula_outline(few[i]), formula_outline(many[i]));
}

// Drawn at 48 px, no two cover the same pixels under any of 24 turns. (Equal shapes would have an
// overlap near 1.)
TEST(Formulas, AreToldApart) {
  std::vector<std::vector<Mask>> masks;
  for (const Formula& formula : formulas(56)) {
    masks.emplace_back();
    for (int t = 0; t < turns; ++t)
      masks.back().push_back(mask(formula_outline(formula), 2 * M_PI * t / turns));
  }
  double largest = 0;
  for (std::size_t a = 0; a < masks.size(); ++a)
    for (std::size_t b = a + 1; b < masks.size(); ++b)
      for (const Mask& turned : masks[b])
        largest = std::max(largest, static_cast<double>((masks[a][0] & turned).count()) /
                                        static_cast<double>((masks[a][0] | turned).count()));
  EXPECT_LT(largest, 0.97);
}

TEST(Formulas, TheHardestLevelDrawsAllItsClasses) {
  const SynthLevel level = formula_level();
  EXPECT_EQ(level.class_count(), 64);
  EXPECT_EQ(level.class_name(0), "circle");
  EXPECT_EQ(level.class_name(8), "formula-00");
  std::set<int> seen;
  for (std::size_t i = 0; i < 60; ++i)
    for (const Label& label : draw_synth_picture(level, 128, 1, 0, i, false).labels)
      seen.insert(label.class_index);
  EXPECT_GT(seen.size(), 60u);
  EXPECT_LE(*seen.rbegin(), 63);
}

}  // namespace
}  // namespace yolov7::dataset
