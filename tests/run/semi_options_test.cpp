// Burn-in, batches of images without labels, and what does not go together (training 23 to 25).
#include "run/semi_options.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

// A fifth of 300 epochs is 60, of 12 three (2.4), of 2 one (0.4), of 10 two.
TEST(SemiOptions, ThePartOfTheLabelledImagesAlone) {
  SemiOptions o;
  EXPECT_EQ(burn_in_epochs(o, 300), 60);
  EXPECT_EQ(burn_in_epochs(o, 12), 3);
  EXPECT_EQ(burn_in_epochs(o, 10), 2);
  EXPECT_EQ(burn_in_epochs(o, 2), 1);
  o.burn_in = 0;
  EXPECT_EQ(burn_in_epochs(o, 300), 0);
  EXPECT_FALSE(learns_unlabelled(o));
  o.unlabelled = "pool";
  EXPECT_TRUE(learns_unlabelled(o));
  o.unlabelled_weight = 0;
  EXPECT_FALSE(learns_unlabelled(o));
}

TEST(SemiOptions, EveryProcessHasItsShare) {
  SemiOptions o;
  EXPECT_EQ(unlabelled_batch(o, 16, 1), 16);
  o.unlabelled_ratio = 0.3;
  EXPECT_EQ(unlabelled_batch(o, 16, 1), 5);  // 4.8
  EXPECT_EQ(unlabelled_batch(o, 16, 4), 4);  // 1.2 for each
  o.unlabelled_ratio = 0.01;
  EXPECT_EQ(unlabelled_batch(o, 16, 4), 4) << "one at least";
}

TEST(SemiOptions, WhatDoesNotGoTogetherIsRefused) {
  SemiOptions o;
  const auto message = [&](const std::vector<std::string>& given) {
    return test::error_of([&] { require_possible(o, given, "train"); });
  };
  EXPECT_EQ(message({}), "no error");
  EXPECT_EQ(message({"burn-in"}), "train: burn-in: expected unlabelled as well, found none");
  o.unlabelled = "pool";
  EXPECT_EQ(message({"burn-in", "unlabelled"}), "no error");
  EXPECT_EQ(message({"qat", "unlabelled"}), "train: qat and unlabelled: expected one of them");
  o.pseudo_ignore = 0.7;
  EXPECT_EQ(message({"pseudo-ignore"}),
            "train: expected pseudo-ignore of at most pseudo-conf (0.6), found 0.7");
  o.pseudo_ignore = 0.1;
  EXPECT_EQ(message({"rect"}), "no error");
  o.synthetic_share = 0.3;
  EXPECT_NE(message({"rect"}).find("synthetic-share and rect: expected one of them"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::run
