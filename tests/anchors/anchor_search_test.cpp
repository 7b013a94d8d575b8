// The search (training 12), run on label sizes whose answer is known.
#include "anchors/anchor_search.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "tests/stopping.hpp"

namespace yolov7::anchors {
namespace {

using network::AnchorSize;

/// Around each of three sizes forty labels within 5 %.
std::vector<AnchorSize> three_groups() {
  std::vector<AnchorSize> labels;
  Random random(1, 0, 0, 0);
  for (const AnchorSize& centre : {AnchorSize{10, 20}, AnchorSize{60, 40}, AnchorSize{200, 300}})
    for (int i = 0; i < 40; ++i)
      labels.push_back(
          {centre.w * random.uniform(0.95, 1.05), centre.h * random.uniform(0.95, 1.05)});
  return labels;
}

AnchorSearchOptions three(int generations) {
  AnchorSearchOptions options;
  options.count = 3;
  options.generations = generations;
  return options;
}

TEST(AnchorSearch, FindsTheGroups) {
  const AnchorSearch found = search_anchors(three_groups(), three(0));
  ASSERT_EQ(found.anchors.size(), 3u);
  const AnchorSize expected[] = {{10, 20}, {60, 40}, {200, 300}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(found.anchors[i].w, expected[i].w,
                0.02 * expected[i].w);  // a mean of forty numbers within 5 %
    EXPECT_NEAR(found.anchors[i].h, expected[i].h, 0.02 * expected[i].h);
  }
  EXPECT_EQ(found.fit.best_possible_recall, 1);
  EXPECT_EQ(found.fitness, found.clustered_fitness);
  EXPECT_EQ(found.labels, 120u);
}

TEST(AnchorSearch, GenerationsOnlyEverImprove) {
  const AnchorSearch few = search_anchors(three_groups(), three(20)),
                     many = search_anchors(three_groups(), three(200));
  EXPECT_GE(few.fitness, few.clustered_fitness);
  EXPECT_GE(many.fitness, few.fitness);
  EXPECT_GT(many.fitness, many.clustered_fitness);
  // The mean of best · [best > 1/4], worked out anew.
  double sum = 0;
  for (const AnchorSize& label : three_groups()) {
    double best = 0;
    for (const AnchorSize& a : many.anchors)
      best = std::max(best, std::min(std::min(label.w / a.w, a.w / label.w),
                                     std::min(label.h / a.h, a.h / label.h)));
    sum += best;
  }
  EXPECT_NEAR(many.fitness, sum / 120, 1e-12);
  for (std::size_t i = 0; i + 1 < many.anchors.size(); ++i)
    EXPECT_LE(many.anchors[i].w * many.anchors[i].h, many.anchors[i + 1].w * many.anchors[i + 1].h);
}

TEST(AnchorSearch, IsAFunctionOfItsSeed) {
  const auto run = [](std::uint64_t seed) {
    AnchorSearchOptions options = three(300);
    options.seed = seed;
    return search_anchors(three_groups(), options).anchors;
  };
  const auto a = run(1), b = run(1), c = run(2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(a[i].w, b[i].w);
  EXPECT_TRUE(a[0].w != c[0].w || a[1].w != c[1].w ||
              a[2].w != c[2].w);  // other mutations were taken
}

TEST(AnchorSearch, CountsSmallLabelsAndRefusesTooFew) {
  std::vector<AnchorSize> labels = three_groups();
  labels.push_back({2.5, 50});  // small, used
  labels.push_back({1, 1.5});   // left out
  const AnchorSearch found = search_anchors(labels, three(0));
  EXPECT_EQ(found.small, 2u);
  EXPECT_EQ(found.left_out, 1u);
  EXPECT_LT(found.fit.best_possible_recall, 1);  // over all labels
  EXPECT_THROW(search_anchors(std::vector<AnchorSize>{{10, 10}, {20, 20}}, three(0)), Error);
  EXPECT_THROW(search_anchors(std::vector<AnchorSize>(50, {10, 10}), three(0)), Error);
}

TEST(AnchorSearch, EndsBetweenTwoGenerationsWhereItIsStopped) {
  std::stop_source stop;
  AnchorSearchOptions options = three(100);
  options.stop = stop.get_token();
  int generations = 0;
  options.progress = [&](int done, int) {
    generations = done;
    if (done == 5) stop.request_stop();
  };
  EXPECT_TRUE(test::is_stopped([&] { search_anchors(three_groups(), options); }));
  EXPECT_EQ(generations, 5);
  generations = 0;
  EXPECT_TRUE(test::is_stopped([&] { search_anchors(three_groups(), options); }));
  EXPECT_EQ(generations, 0);  // in the clustering before them
}

}  // namespace
}  // namespace yolov7::anchors
