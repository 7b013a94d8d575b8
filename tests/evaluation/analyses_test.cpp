// What analyse() says where its figures would mislead.
#include "evaluation/analyses/analyses.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/evaluation/spec_data.hpp"
#include "tests/kept_messages.hpp"

namespace yolov7::evaluation {
namespace {

AnalysisOptions both() {
  AnalysisOptions options;
  options.calibration = true;
  options.breakdown = true;
  return options;
}

// One object, found with a score of 90 (per cent) or −0.5 (a logit): the mean score of the last bin
// would be 90 beside a precision of 1, an "expected error" of 89; the best threshold above −0.5
// would be −0.25, which the detection itself is not above.
TEST(Analyses, ScoresThatAreNoProbabilitiesAreSaid) {
  CocoGroundTruth truth;
  truth.images = {1};
  truth.categories = {{1, "a"}};
  truth.annotations = {{1, 1, 1, {0, 0, 50, 50}, 2500, false}};
  const auto with = [&](double score) {
    return analyse(truth, {{1, 1, {0, 0, 50, 50}, score}}, {}, both());
  };
  {
    const test::KeptMessages kept;
    const Analyses found = with(1);
    EXPECT_TRUE(found.calibration.has_value());
    EXPECT_TRUE(found.breakdown.has_value());
    EXPECT_EQ(kept.text(), "");
  }
  {
    const test::KeptMessages kept;
    const Analyses found = with(90);
    const std::string said = kept.text();
    EXPECT_FALSE(found.calibration.has_value());
    EXPECT_TRUE(found.breakdown.has_value());
    EXPECT_NE(said.find("calibration: left out: expected scores from 0 to 1, found 90 "
                        "(detections[0])"),
              std::string::npos)
        << said;
    EXPECT_FALSE(found.json().contains("calibration"));
  }
  {
    const test::KeptMessages kept;
    const Analyses found = with(-0.5);
    const std::string said = kept.text();
    EXPECT_FALSE(found.breakdown.has_value());
    EXPECT_NE(said.find("breakdown: left out: expected scores of at least 0, found -0.5"),
              std::string::npos)
        << said;
  }
}

TEST(Analyses, IntervalsOfTooFewDrawsAreSaid) {
  AnalysisOptions options;
  options.draws = 10;
  const test::KeptMessages kept;
  const Analyses found = analyse(testing::spec_truth(), testing::spec_detections(), {}, options);
  EXPECT_TRUE(found.intervals.has_value());
  const std::string said = kept.text();
  EXPECT_NE(said.find("bootstrap: 10 draws are too few for an interval of 95 %, which wants 40"),
            std::string::npos)
      << said;
}

TEST(Analyses, TheBestThresholdIsSaidToBeChosenOnTheseImages) {
  AnalysisOptions options;
  options.breakdown = true;
  std::string all;
  for (const std::string& line :
       analyse(testing::spec_truth(), testing::spec_detections(), {}, options).lines())
    all += line + "\n";
  EXPECT_NE(all.find("The threshold was chosen on these images"), std::string::npos) << all;
}

}  // namespace
}  // namespace yolov7::evaluation
