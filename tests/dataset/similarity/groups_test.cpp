// Chains, equal keys, name patterns and videos, worked by hand.
#include "dataset/similarity/groups.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::dataset::similarity {
namespace {

using Lists = std::vector<std::vector<std::size_t>>;

TEST(SimilarityGroups, PairsMakeChains) {
  Groups groups(7);
  groups.join(5, 3);
  groups.join(1, 2);
  groups.join(3, 1);  // 1, 2, 3, 5 hang together, though 2 and 5 were never named together
  groups.join(5, 3);  // known already
  EXPECT_EQ(groups.several(), (Lists{{1, 2, 3, 5}}));
  EXPECT_EQ(groups.all(), (std::vector<std::size_t>{0, 1, 1, 1, 4, 1, 6}));
  EXPECT_EQ(groups.of(5), 1u);
  EXPECT_EQ(groups.size_of(2), 4u);
  EXPECT_EQ(groups.size_of(6), 1u);
}

TEST(SimilarityGroups, OrderOfThePairsDoesNotCount) {
  Groups one(6), other(6);
  one.join(4, 5), one.join(0, 4), one.join(1, 2);
  other.join(2, 1), other.join(5, 0), other.join(4, 5);
  EXPECT_EQ(one.several(), other.several());
  EXPECT_EQ(one.several(), (Lists{{0, 4, 5}, {1, 2}}));
}

TEST(SimilarityGroups, EqualKeysJoinAndEmptyOnesDoNot) {
  Groups groups(5);
  groups.join_equal({"a", "", "b", "", "a"});
  EXPECT_EQ(groups.several(), (Lists{{0, 4}}));
}

TEST(SimilarityGroups, PatternGivesItsFirstBracket) {
  const NamePattern pattern("patient(\\d+)_", "--group-pattern");
  EXPECT_EQ(pattern.group_of("train/images/patient12_left.png"), "12");
  EXPECT_FALSE(pattern.group_of("train/images/other.png").has_value());
  const NamePattern folder("([^/]+)/[^/]+$", "--group-pattern");
  EXPECT_EQ(folder.group_of("a/scene 3/x.jpg"), "scene 3");
}

TEST(SimilarityGroups, PatternsThatAreNoneAreRefused) {
  EXPECT_NE(test::error_of([] {
              NamePattern("(", "--group-pattern");
            }).find("--group-pattern: expected a regular expression with the group in brackets"),
            std::string::npos);
  EXPECT_NE(test::error_of([] { NamePattern("abc", "--group-pattern"); }).find("has no bracket"),
            std::string::npos);
}

TEST(SimilarityGroups, FramesAreKnownByTheirNames) {
  // Names of a video's kind, with what an export adds behind.
  EXPECT_EQ(video_of("train/images/ride_mp4-12_jpg.rf.0a1b2c.jpg"), "ride_mp4");
  EXPECT_EQ(video_of("valid/images/ride_mp4-13_jpg.rf.77aa01.jpg"), "ride_mp4");
  EXPECT_EQ(video_of("walk.MOV_00017.png"), "walk.MOV");
  // The last number, in whatever way it is set apart.
  EXPECT_EQ(video_of("images/clip_0007.jpg"), "clip");
  EXPECT_EQ(video_of("images/clip-2 (12).jpg"), "clip-2 (");
  EXPECT_EQ(video_of("cam3frame000012.jpg"), "cam3frame");
  // Folders tell sequences apart, but not those of splits.
  EXPECT_EQ(video_of("seq1/000001.jpg"), "seq1/");
  EXPECT_EQ(video_of("images/train/seq2/000001.jpg"), "seq2/");
  // Neither a number nor a video.
  EXPECT_EQ(video_of("images/train/kitchen.jpg"), "");
  EXPECT_EQ(video_of("images/train/000001.jpg"), "");
}

}  // namespace
}  // namespace yolov7::dataset::similarity
