// What was sent is remembered over processes, per place.
#include "platforms/journal.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::platforms {
namespace {

TEST(Journal, RemembersByPlaceKeyAndStep) {
  const test::ScratchFolder folder;
  const auto file = folder / "j.sqlite";
  {
    Journal one(file, "a"), two(file, "b");
    one.set("x'; DROP TABLE entry; --", "image", "1");
    two.set("x'; DROP TABLE entry; --", "image", "2");
    one.set("y", "image", "3");
    one.set("y", "image", "4");
    one.set_all({{"k1", "v1"}, {"k2", "v2"}}, "task");
  }
  const Journal one(file, "a"), two(file, "b");
  EXPECT_EQ(one.get("x'; DROP TABLE entry; --", "image"), "1");
  EXPECT_EQ(two.get("x'; DROP TABLE entry; --", "image"), "2");
  EXPECT_EQ(one.get("y", "image"), "4");
  EXPECT_EQ(one.get("y", "annotation"), "");
  EXPECT_EQ(two.get("y", "image"), "");
  EXPECT_EQ(one.get("k2", "task"), "v2");
}

TEST(Journal, StandsHiddenInTheSource) {
  const test::ScratchFolder folder;
  test::write_text(folder / "set.json", "[]");
  EXPECT_EQ(journal_file("", folder.path()), folder / ".yolov7/platforms.sqlite");
  EXPECT_EQ(journal_file("", folder / "set.json"), folder / ".yolov7/platforms.sqlite");
  EXPECT_EQ(journal_file("other.sqlite", folder.path()), "other.sqlite");
}

TEST(Journal, AnotherFileIsNamed) {
  const test::ScratchFolder folder;
  test::write_text(folder / "j.sqlite", std::string(5000, 'x'));
  const std::string said = test::error_of([&] { Journal(folder / "j.sqlite", "a"); });
  EXPECT_NE(said.find("j.sqlite"), std::string::npos) << said;
}

}  // namespace
}  // namespace yolov7::platforms
