// Batches with a share of drawn images, by hand (training 24).
#include "dataset/loading/drawn_share.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "dataset/loading/epoch_plan.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

std::vector<bool> last_are_drawn(std::size_t others, std::size_t drawn) {
  std::vector<bool> marks(others, false);
  marks.resize(others + drawn, true);
  return marks;
}

// ⌊(P + 1) · 0.3⌋ > ⌊P · 0.3⌋ at P = 3, 6, 9 of the first ten places, and so on.
TEST(DrawnShare, PlacesByHand) {
  const auto order = order_with_drawn(last_are_drawn(14, 6),
                                      {.share = 0.3, .seed = 5, .shuffle = false}, 0, 20, 20);
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 14, 3,  4,  15, 5,  6,  16,
                                             7, 8, 9, 17, 10, 11, 18, 12, 13, 19}));
}

TEST(DrawnShare, EveryStretchHasItWithinOneImage) {
  const auto marks = last_are_drawn(37, 11);
  for (const double share : {0.1, 0.25, 0.5, 0.7, 1.0 / 3}) {
    std::vector<std::size_t> all;
    for (int epoch = 0; epoch < 4; ++epoch)
      for (const std::size_t i : order_with_drawn(marks, {share, 3, true}, epoch, 48, 48))
        all.push_back(i);
    for (const std::size_t batch : {std::size_t{4}, std::size_t{16}})
      for (std::size_t first = 0; first + batch <= all.size(); ++first) {
        const auto drawn = std::count_if(all.begin() + static_cast<std::ptrdiff_t>(first),
                                         all.begin() + static_cast<std::ptrdiff_t>(first + batch),
                                         [&](std::size_t i) { return marks[i]; });
        const double wanted = share * static_cast<double>(batch);
        EXPECT_LT(std::abs(static_cast<double>(drawn) - wanted), 1) << share << " " << first;
      }
  }
}

// 16 places of an epoch with a share of a half: 8 of the 4 drawn ones, so each twice; 8 of the 12
// others in the first epoch, the rest and 4 again in the second.
TEST(DrawnShare, EachKindIsUsedEvenly) {
  const auto marks = last_are_drawn(12, 4);
  std::vector<int> used(16, 0);
  for (int epoch = 0; epoch < 3; ++epoch)
    for (const std::size_t i : order_with_drawn(marks, {0.5, 3, true}, epoch, 16, 16)) ++used[i];
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(used[i], 2) << i;
  for (std::size_t i = 12; i < 16; ++i) EXPECT_EQ(used[i], 6) << i;
}

TEST(DrawnShare, TheEndsAndWhatCannotBe) {
  const auto marks = last_are_drawn(3, 2);
  const auto none = order_with_drawn(marks, {0, 1, true}, 0, 5, 5),
             only = order_with_drawn(marks, {1, 1, true}, 0, 5, 5);
  EXPECT_TRUE(std::all_of(none.begin(), none.end(), [](std::size_t i) { return i < 3; }));
  EXPECT_TRUE(std::all_of(only.begin(), only.end(), [](std::size_t i) { return i >= 3; }));
  EXPECT_EQ(test::error_of([&] {
              order_with_drawn(last_are_drawn(3, 0), {0.5, 1, true}, 0, 3, 3);
            }),
            "batch loader: expected drawn and other images for a share of 0.5, found 0 and 3");
  EXPECT_NE(test::error_of([&] {
              order_with_drawn(last_are_drawn(0, 3), {0.5, 1, true}, 0, 3, 3);
            }),
            "no error");
}

Index sizes_only(std::size_t count) {
  Index index;
  index.entries.resize(count);
  for (Entry& entry : index.entries) entry.width = entry.height = 64;
  return index;
}

LoaderOptions with_share(const std::vector<bool>& marks) {
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 64, o.shuffle = true, o.seed = 9;
  o.drawn_share = 0.25;
  o.drawn = std::make_shared<std::vector<bool>>(marks);
  return o;
}

TEST(DrawnShare, APlanOfSeveralProcessesIsThatOfOne) {
  const auto marks = last_are_drawn(13, 5);
  const Index index = sizes_only(18);
  LoaderOptions o = with_share(marks);
  for (int epoch = 0; epoch < 3; ++epoch) {
    o.parts = 1, o.part = 0;
    const EpochPlan whole = plan_epoch(index, o, epoch);
    ASSERT_EQ(whole.batches.size(), 5u);
    EXPECT_EQ(whole.order, plan_epoch(index, o, epoch).order);
    for (std::size_t b = 0; b + 1 < whole.batches.size(); ++b) {
      const auto& entries = whole.batches[b].entries;
      EXPECT_EQ(
          std::count_if(entries.begin(), entries.end(), [&](std::size_t i) { return marks[i]; }),
          1);
    }
    o.parts = 2;
    o.part = 0;
    const EpochPlan first = plan_epoch(index, o, epoch);
    o.part = 1;
    const EpochPlan second = plan_epoch(index, o, epoch);
    for (std::size_t b = 0; b < whole.batches.size(); ++b) {
      std::vector<std::size_t> joined = first.batches[b].entries;
      joined.insert(joined.end(), second.batches[b].entries.begin(),
                    second.batches[b].entries.end());
      EXPECT_EQ(joined, whole.batches[b].entries);
    }
  }
}

TEST(DrawnShare, WithoutItNothingChanges) {
  const Index index = sizes_only(18);
  LoaderOptions o = with_share(last_are_drawn(13, 5));
  o.drawn_share = -1;
  LoaderOptions plain = o;
  plain.drawn = nullptr;
  EXPECT_EQ(plan_epoch(index, o, 2).order, plan_epoch(index, plain, 2).order);
}

}  // namespace
}  // namespace yolov7::dataset
