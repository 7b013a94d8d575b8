// What training makes of marks, by hand (training 23).
#include "dataset/index/label_marks.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

const RegionMark doubtful{{0.5, 0.5, 0.2, 0.2}, true}, crowd{{0.1, 0.1, 0.2, 0.2}, false};

TEST(LabelMarks, PeopleWeighOneAndMachinesTheirConfidence) {
  const ImageMarks image{{{false, 1}, {true, 0.75f}, {true, 1}}, {}, false};
  EXPECT_TRUE(weights_of(image, {}).weights.empty());
  EXPECT_EQ(weights_of(image, {.by_confidence = true}).weights, (std::vector<float>{1, 0.75f, 1}));
  const ImageMarks certain{{{true, 1}}, {}, false};
  EXPECT_TRUE(weights_of(certain, {.by_confidence = true}).weights.empty());
}

TEST(LabelMarks, TheRuleSaysWhichRegionsAreIgnored) {
  const ImageMarks image{{}, {doubtful, crowd}, false};
  const auto ignored = [&](bool machine, bool others) {
    return weights_of(image, {false, machine, others}).ignored;
  };
  EXPECT_EQ(ignored(true, false), std::vector<CxcywhNormalized>{doubtful.box});
  EXPECT_EQ(ignored(true, true), (std::vector<CxcywhNormalized>{doubtful.box, crowd.box}));
  EXPECT_TRUE(ignored(false, false).empty());
}

// Weights 0.75 and 0.5 of two machine labels: mean 0.625.
TEST(LabelMarks, AreCounted) {
  SetMarks set;
  set.images = {{{{false, 1}, {true, 0.75f}}, {doubtful, crowd}, false},
                {{{true, 0.5f}}, {}, true},
                {{}, {crowd}, true},
                {}};
  const MarkCounts counts = count_marks(set, {.by_confidence = true});
  EXPECT_EQ(counts.machine, 2u);
  EXPECT_DOUBLE_EQ(counts.mean_weight, 0.625);
  EXPECT_EQ(counts.ignored, 1u);
  EXPECT_EQ(counts.unused, 2u);
  EXPECT_EQ(counts.images, 2u);
  EXPECT_EQ(counts.drawn, 2u);
  EXPECT_DOUBLE_EQ(count_marks(set, {}).mean_weight, 1);
}

TEST(LabelMarks, TheHashTellsWhatCounts) {
  const std::vector<LabelWeights> plain(3);
  EXPECT_EQ(identity(plain), "");
  std::vector<LabelWeights> weighted = plain, region = plain, elsewhere = plain;
  weighted[1].weights = {0.5f};
  region[1].ignored = {doubtful.box};
  elsewhere[2].weights = {0.5f};
  EXPECT_NE(identity(weighted), "");
  EXPECT_NE(identity(weighted), identity(region));
  EXPECT_NE(identity(weighted), identity(elsewhere));
  EXPECT_EQ(identity(weighted), identity(std::vector<LabelWeights>(weighted)));
}

}  // namespace
}  // namespace yolov7::dataset
