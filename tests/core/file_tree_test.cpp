#include "core/file_tree.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::file {
namespace {

TEST(FileTree, AFileAndAFolderOfFiles) {
  const test::ScratchFolder scratch;
  const auto last = scratch.write("model/b.bin", "12345"),
             first = scratch.write("model/a/x.xml", "123"), beside = scratch.write("c", "1");
  std::filesystem::create_directories(scratch / "model/empty");
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(files_of(scratch / "model"), (Paths{first, last}));
  EXPECT_EQ(bytes_of(scratch / "model"), 8u);
  EXPECT_EQ(files_of(beside), Paths{beside});
  EXPECT_EQ(bytes_of(beside), 1u);
  EXPECT_TRUE(files_of(scratch / "model/empty").empty());
  EXPECT_THROW(bytes_of(scratch / "none"), std::filesystem::filesystem_error);
}

}  // namespace
}  // namespace yolov7::file
