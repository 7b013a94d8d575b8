// What a simulation pays and how long it trains, by hand.
#include "active/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"

namespace yolov7::active {
namespace {

using Part = Choice::Part;

std::vector<Choice> choices(const std::vector<Part>& parts) {
  std::vector<Choice> all;
  for (const Part part : parts) {
    Choice one;
    one.part = part;
    all.push_back(one);
  }
  return all;
}

TEST(Simulation, PaysTrueBoxesInOrderUntilTheBudgetIsUsedUp) {
  const std::vector<std::size_t> boxes{3, 0, 10, 1};
  const CostModel cost{2, 7};
  // 2 + 21 = 23, then 2, then 72, then 9.
  const Payment all = pay(boxes, {106, BudgetUnit::cost}, cost);
  EXPECT_EQ(all.images, 4u);
  EXPECT_DOUBLE_EQ(all.spent, 106);
  // The third image would exceed 96: it ends the round, though the fourth would fit.
  const Payment some = pay(boxes, {96, BudgetUnit::cost}, cost);
  EXPECT_EQ(some.images, 2u);
  EXPECT_DOUBLE_EQ(some.spent, 25);
  EXPECT_EQ(pay(boxes, {22, BudgetUnit::cost}, cost).images, 0u);
  // 3, then 1 for the image without a box, then 10.
  EXPECT_EQ(pay(boxes, {14, BudgetUnit::boxes}, cost).images, 3u);
  EXPECT_EQ(pay(boxes, {13, BudgetUnit::boxes}, cost).images, 2u);
  EXPECT_EQ(pay(boxes, {2, BudgetUnit::images}, cost).images, 2u);
  // .1 + .1 + .1 is more than .3 in binary numbers.
  const std::vector<std::size_t> none(4, 0);
  EXPECT_EQ(pay(none, {0.3, BudgetUnit::cost}, {0.1, 7}).images, 3u);
}

TEST(Simulation, PartsAreLabelledInProportion) {
  // Chosen: the control and an empty image first, as select() does it, then four by strategy. Of
  // four they stand at 1/8, 3/8, 5/8, 7/8 of the way, of two at 1/4, 3/4, the only one at 1/2.
  const auto all = choices({Part::control, Part::control, Part::empty, Part::strategy,
                            Part::strategy, Part::strategy, Part::strategy});
  EXPECT_EQ(labelling_order(all), (std::vector<std::size_t>{3, 0, 4, 2, 5, 1, 6}));
  // Equal places: the strategy first.
  EXPECT_EQ(labelling_order(choices({Part::control, Part::strategy})),
            (std::vector<std::size_t>{1, 0}));
  EXPECT_TRUE(labelling_order({}).empty());
}

TEST(Simulation, EveryTrainingHasTheSameSteps) {
  // At most 20 epochs of 240 steps: at least 12 steps an epoch, 192 images.
  for (const auto& [labelled, images, epochs] :
       std::vector<std::tuple<std::size_t, std::size_t, int>>{{10, 192, 20},
                                                              {192, 192, 20},
                                                              {193, 240, 16},
                                                              {241, 256, 15},
                                                              {600, 640, 6},
                                                              {3840, 3840, 1}}) {
    const EqualSteps steps = equal_steps(labelled, 240, 16);
    EXPECT_EQ(steps.images, images) << labelled;
    EXPECT_EQ(steps.epochs, epochs) << labelled;
    EXPECT_EQ(steps.images * static_cast<std::size_t>(steps.epochs), 240u * 16);
  }
  EXPECT_THROW(equal_steps(3841, 240, 16), Error);
}

TEST(Simulation, ImagesAreRepeatedEvenly) {
  const auto places = repeated_places(5, 17, 3);
  ASSERT_EQ(places.size(), 17u);
  std::map<std::size_t, int> counts;
  for (const std::size_t one : places) ++counts[one];
  ASSERT_EQ(counts.size(), 5u);
  int more = 0;
  for (const auto& [place, count] : counts) {
    EXPECT_TRUE(count == 3 || count == 4);
    more += count == 4;
  }
  EXPECT_EQ(more, 2);
  EXPECT_EQ(places, repeated_places(5, 17, 3));
  EXPECT_TRUE(repeated_places(0, 0, 3).empty());
}

TEST(Simulation, ArmsAreStrategiesWithWhatStandsAroundThem) {
  SelectOptions base;
  EXPECT_EQ(options_of(arm_named("auto"), base).strategy, "auto");
  EXPECT_EQ(options_of(arm_named("auto"), base).control, 0.1);
  EXPECT_FALSE(arm_named("random").keep_similar);
  EXPECT_TRUE(arm_named("random-unfiltered").keep_similar);
  const SelectOptions tutorial = options_of(arm_named("tutorial"), base);
  EXPECT_EQ(tutorial.strategy, "low-confidence");
  EXPECT_EQ(tutorial.control, 0);
  EXPECT_EQ(tutorial.empty_share, 0);
  EXPECT_THROW(arm_named("autos"), Error);
  for (const StrategyName& one : strategies())
    EXPECT_TRUE(std::any_of(arms().begin(), arms().end(), [&](const Arm& arm) {
      return std::string(arm.strategy) == one.name;
    })) << one.name;
}

TEST(Simulation, EachRoundHasASeedOfItsOwn) {
  EXPECT_EQ(round_seed(0, 3), 3u);
  EXPECT_EQ(round_seed(2, 1), 20015u);
}

}  // namespace
}  // namespace yolov7::active
