#include "core/output_guard.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

namespace fs = std::filesystem;

class Guard : public testing::Test {
 protected:
  void SetUp() override {
    scratch.write("in/a.jpg", "original");
    fs::create_directories(scratch / "out");
    guard.protect(scratch / "in/a.jpg", "--source in/a.jpg");
  }
  /// Why not; empty if it is taken.
  std::string refusal(const fs::path& path) {
    try {
      guard.claim(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return error.what();
    }
    return "";
  }
  test::ScratchFolder scratch;
  OutputGuard guard;
};

TEST_F(Guard, ASourceIsNoPlaceForAResult) {
  EXPECT_NE(refusal(scratch / "in/a.jpg").find("expected another file than --source in/a.jpg"),
            std::string::npos);
  EXPECT_NE(refusal(scratch / "out/../in/./a.jpg"), "");
  EXPECT_FALSE(guard.allows(scratch / "in/a.jpg"));
  EXPECT_THROW(guard.check(scratch / "in/a.jpg"), Error);
  EXPECT_EQ(refusal(scratch / "in/b.jpg"), "");
  EXPECT_EQ(refusal(scratch / "in/A.jpg"), "") << "another file here";
}

TEST_F(Guard, LinksToASourceAreTheSource) {
  fs::create_hard_link(scratch / "in/a.jpg", scratch / "out/hard.jpg");
  fs::create_symlink("../in/a.jpg", scratch / "out/soft.jpg");
  fs::create_directory_symlink("in", scratch / "folder");
  for (const char* name : {"out/hard.jpg", "out/soft.jpg", "folder/a.jpg"})
    EXPECT_NE(refusal(scratch / name), "") << name;
}

TEST_F(Guard, ASourceThatIsALinkKeepsItsName) {
  scratch.write("store/b.jpg", "original");
  fs::create_symlink("../store/b.jpg", scratch / "in/b.jpg");
  guard.protect(scratch / "in/b.jpg", "--source in/b.jpg");
  EXPECT_NE(refusal(scratch / "in/b.jpg"), "");
  EXPECT_NE(refusal(scratch / "store/b.jpg"), "");
}

TEST_F(Guard, EachResultHasAPlaceOfItsOwn) {
  EXPECT_EQ(refusal(scratch / "out/x.txt"), "");
  EXPECT_NE(refusal(scratch / "out/x.txt").find("a name of its own"), std::string::npos);
  EXPECT_THROW(guard.check(scratch / "out/x.txt"), Error);
  // Folders that are one: names that differ do not help.
  fs::create_directories(scratch / "out/p");
  fs::create_directory_symlink("p", scratch / "out/q");
  EXPECT_EQ(refusal(scratch / "out/p/x.txt"), "");
  EXPECT_NE(refusal(scratch / "out/q/x.txt"), "");
  // In folders that are made later.
  EXPECT_EQ(refusal(scratch / "new/deep/x.txt"), "");
  fs::create_directories(scratch / "new/deep");
  EXPECT_NE(refusal(scratch / "new/deep/x.txt"), "");
}

TEST_F(Guard, ResultsOfAnEarlierRunMayBeReplaced) {
  scratch.write("out/old.txt", "of yesterday");
  EXPECT_EQ(refusal(scratch / "out/old.txt"), "");
}

TEST_F(Guard, NumberedResultsAreNotRemembered) {
  guard.check(scratch / "out/clip_1.txt");
  guard.check(scratch / "out/clip_1.txt");
  EXPECT_TRUE(guard.allows(scratch / "out/clip_1.txt"));
}

TEST_F(Guard, WhatDoesNotExistIsNoSource) {
  guard.protect(scratch / "in/none.jpg", "--source in/none.jpg");
  EXPECT_EQ(refusal(scratch / "in/none.jpg"), "");
}

}  // namespace
}  // namespace yolov7
