#include "core/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/error.hpp"

namespace yolov7::test {

namespace fs = std::filesystem;

TEST(TemporaryFolder, IsEmptyAndGoneWithItsContents) {
  fs::path path;
  {
    const TemporaryFolder folder("yolov7-test"), other("yolov7-test");
    path = folder.path();
    EXPECT_NE(path, other.path());
    EXPECT_TRUE(fs::is_empty(path));
    EXPECT_TRUE(path.filename().string().starts_with("yolov7-test-"));
    fs::create_directory(path / "a");
    std::ofstream(path / "a" / "b") << "c";
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryFolder, CannotBeMade) { EXPECT_THROW(TemporaryFolder("no/such/folder"), Error); }

}  // namespace yolov7::test
