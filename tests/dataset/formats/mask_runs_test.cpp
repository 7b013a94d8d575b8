#include "dataset/formats/mask_runs.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

using Runs = std::vector<std::uint32_t>;

// By hand from the definition: 20 = 10100b has its fifth bit set, so a second digit 0 follows:
// (20 | 32) + 48 = 'd', 0 + 48 = '0'. 30: (30 | 32) + 48 = 'n', '0'.
TEST(MaskRuns, TextByHand) {
  EXPECT_EQ(text_of_runs({0, 20, 30}), "0d0n0");
  EXPECT_EQ(runs_of_text("0d0n0"), (Runs{0, 20, 30}));
  // The fourth run is the difference to the second: 18 − 20 = −2 = 11110b, one digit, 30 + 48 =
  // 'N'.
  EXPECT_EQ(text_of_runs({0, 20, 30, 18}), "0d0n0N");
  EXPECT_EQ(runs_of_text("0d0n0N"), (Runs{0, 20, 30, 18}));
  EXPECT_EQ(runs_of_text(""), Runs{});
}

TEST(MaskRuns, LargeRunsComeBack) {
  const Runs runs{4294967295u, 0, 1, 4294967295u, 16, 15, 31, 32, 1023, 1024};
  EXPECT_EQ(runs_of_text(text_of_runs(runs)), runs);
}

TEST(MaskRuns, BrokenTextIsNothing) {
  EXPECT_FALSE(runs_of_text("d"));                 // a digit is announced and missing
  EXPECT_FALSE(runs_of_text("\x10"));              // below '0'
  EXPECT_FALSE(runs_of_text("N"));                 // −2
  EXPECT_FALSE(runs_of_text("ooooooooooooooo0"));  // more digits than any run has
}

// 5 wide, 10 high, down the columns: 20 off… here on from the start: columns 0 and 1.
TEST(MaskRuns, AreaAndBox) {
  MaskRuns mask{5, 10, {0, 20, 30}};
  EXPECT_TRUE(fills(mask));
  EXPECT_EQ(area_of(mask), 20u);
  EXPECT_EQ(box_of(mask), (Xyxy{0, 0, 2, 10}));
  // Column 1, rows 2 to 4.
  mask.runs = {12, 3, 35};
  EXPECT_EQ(area_of(mask), 3u);
  EXPECT_EQ(box_of(mask), (Xyxy{1, 2, 2, 5}));
  mask.runs = {50};
  EXPECT_EQ(box_of(mask), Xyxy{});
  mask.runs = {49};
  EXPECT_FALSE(fills(mask));
}

}  // namespace
}  // namespace yolov7::dataset
