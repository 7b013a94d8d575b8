#include "evaluation/analyses/matches_text.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evaluation/analyses/bootstrap.hpp"

namespace yolov7::evaluation {
namespace {

/// Two images; one object of class 1 in each, and a class without any. The last detections took
/// nothing.
CocoMatches matches() {
  CocoMatches all;
  all.pictures = 2;
  CocoMatches::Category one{1, {}, {0, 1}, {}, {}}, other{2, {}, {}, {}, {}};
  one.detections = {
      {0.9, 0, 0, 0}, {0.8, 0, 3, 0}, {0.7, 1, 1023, 4}, {0.6, 1, 0, 0}, {0.5, 0, 0, 8}};
  all.categories = {one, other};
  return all;
}

TEST(MatchesText, HoldsWhatAMetricNeeds) {
  EXPECT_EQ(matches_text(matches()), "images 2\nclass 1 0 1\n0 0 0\n0 3 0\n1 1023 4\nclass 2\n");
}

TEST(MatchesText, AnyDrawHasTheSameMetric) {
  const CocoMatches before = matches(), after = parse_matches(matches_text(before), "test");
  ASSERT_EQ(after.pictures, 2u);
  ASSERT_EQ(after.categories.size(), 2u);
  for (const std::vector<std::uint32_t>& weights :
       {std::vector<std::uint32_t>{1, 1}, {2, 0}, {0, 2}, {3, 5}}) {
    const Headline one = weighted_headline(before, weights),
                   other = weighted_headline(after, weights);
    EXPECT_EQ(one.map, other.map);
    EXPECT_EQ(one.map50, other.map50);
    EXPECT_GT(one.map50, 0);
  }
}

TEST(MatchesText, AnythingElseIsRefused) {
  for (const char* bad :
       {"pictures 2\n", "images x\n", "images 2\n0 0 0\n", "images 2\nclass 1 2\n",
        "images 2\nclass 1\n0 0\n", "images 2\nclass 1\n2 0 0\n", "images 2\nclass 1\n0 1024 0\n"})
    EXPECT_THROW(parse_matches(bad, "test"), Error) << bad;
}

}  // namespace
}  // namespace yolov7::evaluation
