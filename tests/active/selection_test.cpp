// Choices whose answer is known.
#include "active/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/scratch_folder.hpp"

namespace yolov7::active {
namespace {

/// An image in a group of its own with these counts by class.
Candidate image(std::size_t group, double mean_entropy, std::vector<std::size_t> counts) {
  Candidate one;
  one.group = group;
  one.scores.counts = std::move(counts);
  one.scores.looked_at = one.scores.boxes();
  one.scores.mean_entropy = mean_entropy;
  one.scores.lowest = 0.9;
  one.feature[group % feature_length] = 127;
  return one;
}

SelectOptions plain(const std::string& strategy, double amount,
                    BudgetUnit unit = BudgetUnit::images) {
  SelectOptions options;
  options.strategy = strategy;
  options.budget = {amount, unit};
  options.control = options.empty_share = 0;
  return options;
}

std::vector<std::size_t> indices(const Selection& selection) {
  std::vector<std::size_t> all;
  for (const Choice& one : selection.choices) all.push_back(one.index);
  return all;
}

TEST(Select, EntropyTakesTheHighestUntilTheBudgetIsSpent) {
  const std::vector<Candidate> pool = {image(0, 0.1, {1}), image(1, 0.6, {2}), image(2, 0.5, {1}),
                                       image(3, 0.3, {4})};
  EXPECT_EQ(indices(select(pool, plain("entropy", 2))), (std::vector<std::size_t>{1, 2}));
  // 2 · 1 + 7 · boxes: 16, then 9, then 30 do not fit into 40.
  const Selection by_cost = select(pool, plain("entropy", 40, BudgetUnit::cost));
  EXPECT_EQ(indices(by_cost), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(by_cost.spent, 25);
  EXPECT_EQ(indices(select(pool, plain("entropy", 7, BudgetUnit::boxes))),
            (std::vector<std::size_t>{1, 2, 3}));
}

// .1 + .1 + .1 is more than .3 in binary numbers.
TEST(Select, ABudgetHoldsWhatRoundingAloneMakesTooLarge) {
  const std::vector<Candidate> pool = {image(0, 0.1, {0}), image(1, 0.6, {0}), image(2, 0.5, {0}),
                                       image(3, 0.3, {0})};
  SelectOptions options = plain("entropy", 0.3, BudgetUnit::cost);
  options.cost = {0.1, 7};
  EXPECT_EQ(indices(select(pool, options)), (std::vector<std::size_t>{1, 2, 3}));
  options.budget.amount = 0.2999;
  EXPECT_EQ(indices(select(pool, options)), (std::vector<std::size_t>{1, 2}));
}

TEST(Select, TheLabelledSetTellsHowManyBoxesADetectorMisses) {
  // Ten labelled images with 4 boxes each; the detector finds 1, 2, 1 and 0 in the pool: 1 on
  // average, so each detection stands for 4 boxes, and an image costs 2 + 7 · 4 · detections.
  const std::vector<Candidate> pool = {image(0, 0.4, {1}), image(1, 0.6, {2}), image(2, 0.5, {1}),
                                       image(3, 0.3, {0})};
  SelectOptions options = plain("entropy", 100, BudgetUnit::cost);
  options.labelled.resize(10);
  options.labelled_boxes = {40};
  const Selection selection = select(pool, options);
  EXPECT_EQ(selection.boxes_factor, 4);
  ASSERT_EQ(indices(selection), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(selection.choices[0].boxes, 8);
  EXPECT_EQ(selection.spent, 58 + 30);
  EXPECT_TRUE(selection.full);
  // Fewer labelled images than a mean needs, or a detector that finds more than there is: as it is.
  options.labelled.resize(9);
  EXPECT_EQ(select(pool, options).boxes_factor, 1);
  options.labelled.resize(10);
  options.labelled_boxes = {3};
  EXPECT_EQ(select(pool, options).boxes_factor, 1);
  // One that finds nothing at all.
  EXPECT_EQ(select(std::vector{image(0, 0, {0})}, options).boxes_factor, 10);
  // All that there is fits: not full.
  EXPECT_FALSE(select(pool, plain("entropy", 4)).full);
  // The first one does not fit.
  const Selection none = select(pool, plain("entropy", 10, BudgetUnit::cost));
  EXPECT_TRUE(none.choices.empty());
  EXPECT_TRUE(none.full);
}

TEST(Select, OneOfEachGroupAndNoneOfAKnownOne) {
  std::vector<Candidate> pool = {image(0, 0.6, {1}), image(1, 0.5, {1}), image(2, 0.4, {1}),
                                 image(3, 0.3, {1})};
  pool[1].group = pool[0].group;  // near duplicates
  pool[2].known = true;
  const Selection selection = select(pool, plain("entropy", 4));
  EXPECT_EQ(indices(selection), (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(selection.alike, 1u);
  EXPECT_EQ(selection.known, 1u);
  EXPECT_EQ(selection.considered, 3u);
}

TEST(Select, TheTutorialsRuleTakesThemAsTheyCome) {
  std::vector<Candidate> pool = {image(0, 0.1, {1}), image(1, 0.2, {1}), image(2, 0.9, {1})};
  pool[0].scores.lowest = 0.69, pool[1].scores.lowest = 0.71, pool[2].scores.lowest = 0.1;
  EXPECT_EQ(indices(select(pool, plain("low-confidence", 3))), (std::vector<std::size_t>{0, 2}));
}

TEST(Select, RandomIsRepeatableAndDependsOnTheSeed) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 60; ++i) pool.push_back(image(i, 0.1, {1}));
  SelectOptions options = plain("random", 20);
  const auto first = indices(select(pool, options));
  EXPECT_EQ(first, indices(select(pool, options)));
  options.seed = 1;
  const auto other = indices(select(pool, options));
  EXPECT_NE(first, other);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 20u);
}

// A tenth of 40 images at random, a twentieth among those without a detection, the rest by entropy.
TEST(Select, ControlAndEmptyImagesHaveTheirShares) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 100; ++i)
    pool.push_back(image(i, static_cast<double>(i) / 100, {i < 30 ? 0U : 1U}));
  SelectOptions options = plain("entropy", 40);
  options.control = 0.1, options.empty_share = 0.05;
  const Selection selection = select(pool, options);
  ASSERT_EQ(selection.choices.size(), 40u);
  const auto number = [&](Choice::Part part) {
    return std::count_if(selection.choices.begin(), selection.choices.end(),
                         [&](const Choice& one) { return one.part == part; });
  };
  EXPECT_EQ(number(Choice::Part::control), 4);
  EXPECT_EQ(number(Choice::Part::empty), 2);
  for (const Choice& one : selection.choices)
    EXPECT_TRUE(one.part != Choice::Part::empty || one.index < 30) << one.index;
}

// Images without a box take 1 of a budget of 20 boxes each: its twentieth is one of them, and 19
// with one box each are chosen by entropy.
TEST(Select, ImagesWithoutBoxesAreNotFreeInABudgetOfBoxes) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 100; ++i)
    pool.push_back(image(i, static_cast<double>(i) / 100, {i < 30 ? 0U : 1U}));
  SelectOptions options = plain("entropy", 20, BudgetUnit::boxes);
  options.empty_share = 0.05;
  const Selection selection = select(pool, options);
  ASSERT_EQ(selection.choices.size(), 20u);
  EXPECT_EQ(selection.spent, 20);
  EXPECT_EQ(selection.choices[0].part, Choice::Part::empty);
  EXPECT_EQ(selection.choices[0].share, 1);
  EXPECT_EQ(selection.choices[0].boxes, 0);
  EXPECT_EQ(selection.choices[1].part, Choice::Part::strategy);
  EXPECT_EQ(selection.choices[1].index, 99u);
}

// Every class has 50 boxes, so auto goes by entropy. Class 0 has the highest entropies, and may
// take half of the images: 5 of 10.
TEST(Select, AutoSpreadsOverTheClasses) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 10; ++i) pool.push_back(image(i, 0.6, {1, 0}));
  for (std::size_t i = 10; i < 20; ++i) pool.push_back(image(i, 0.3, {0, 1}));
  SelectOptions options = plain("auto", 10);
  options.labelled_boxes = {50, 50};
  options.class_share = 0.5;
  const Selection selection = select(pool, options);
  std::size_t of_first = 0;
  for (const std::size_t i : indices(selection)) of_first += i < 10 ? 1 : 0;
  EXPECT_EQ(selection.choices.size(), 10u);
  EXPECT_LE(of_first, 5u);
  EXPECT_GE(of_first, 5u);
  EXPECT_EQ(selection.phases, "0 typical, 10 by entropy");
  // Where no other class is left, the share does not hold anything back.
  const std::vector<Candidate> one_class(pool.begin(), pool.begin() + 10);
  EXPECT_EQ(select(one_class, options).choices.size(), 10u);
}

TEST(Select, AutoBeginsWithTypicalImagesWhileAClassIsRare) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 30; ++i) pool.push_back(image(i, 0.5, {2}));
  SelectOptions options = plain("auto", 20);
  options.labelled_boxes = {40};  // 5 images with 2 boxes each make 50
  EXPECT_EQ(select(pool, options).phases, "5 typical, 15 by entropy");
}

TEST(Select, EveryStrategyChoosesWithinTheBudgetAndSaysWhy) {
  std::vector<Candidate> pool;
  for (std::size_t i = 0; i < 40; ++i) {
    pool.push_back(image(i, 0.01 * static_cast<double>(i), {i % 3}));
    pool.back().scores.lowest = 0.5;
  }
  for (const StrategyName& strategy : strategies()) {
    SelectOptions options = plain(strategy.name, 100, BudgetUnit::cost);
    options.control = 0.2;
    const Selection selection = select(pool, options);
    EXPECT_FALSE(selection.choices.empty()) << strategy.name;
    EXPECT_LE(selection.spent, 100) << strategy.name;
    std::set<std::size_t> different;
    for (const Choice& one : selection.choices) {
      different.insert(one.index);
      EXPECT_FALSE(one.why.empty()) << strategy.name;
    }
    EXPECT_EQ(different.size(), selection.choices.size()) << strategy.name;
  }
}

TEST(Select, WrongOptionsAreNamed) {
  EXPECT_NE(test::error_of([] { select({}, plain("best", 1)); }).find("found 'best'"),
            std::string::npos);
  EXPECT_EQ(test::error_of([] { select({}, plain("random", 0)); }),
            "budget: expected more than 0 images, found 0");
  SelectOptions options = plain("random", 1);
  options.control = 0.7, options.empty_share = 0.5;
  EXPECT_NE(test::error_of([&] { select({}, options); }).find("found 0.7 and 0.5"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::active
