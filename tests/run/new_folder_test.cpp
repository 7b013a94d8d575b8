#include "run/new_folder.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

namespace fs = std::filesystem;

/// What a prepared run has written when its first batch fails.
fs::path begun(const test::ScratchFolder& scratch) {
  for (const char* name :
       {".lock", "data_account.json", "hyp.yaml", "opt.yaml", "train_data.txt", "results.csv",
        "train_batch0.jpg", "events.out.tfevents.1.host.2", "weights/init.pt", "weights/last.pt"})
    scratch.write(fs::path("exp") / name, "x");
  return scratch / "exp";
}

TEST(NewFolder, IsGoneWhereTheRunNeverBegan) {
  const test::ScratchFolder scratch;
  const fs::path folder = begun(scratch);
  { const NewFolder made(folder); }
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_TRUE(fs::exists(scratch.path()));
}

TEST(NewFolder, StaysWhereTheRunBegan) {
  const test::ScratchFolder scratch;
  const fs::path folder = begun(scratch);
  {
    NewFolder made(folder);
    made.keep();
  }
  EXPECT_TRUE(fs::exists(folder / "weights/last.pt"));
}

TEST(NewFolder, StaysWholeWhereItHoldsAnythingElse) {
  for (const char* other : {"notes.txt", "weights/best.pt", "more/.lock"}) {
    const test::ScratchFolder scratch;
    const fs::path folder = begun(scratch);
    scratch.write(fs::path("exp") / other, "mine");
    { const NewFolder made(folder); }
    EXPECT_EQ(scratch.read(fs::path("exp") / other), "mine");
    EXPECT_TRUE(fs::exists(folder / "opt.yaml")) << other;
  }
}

}  // namespace
}  // namespace yolov7::run
