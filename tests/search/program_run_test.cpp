#include "process/program_run.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "core/file.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::process {

// A training that is stopped before its first checkpoint removes its run folder.
TEST(WaitForEarlier, EndsWhereTheFolderIsRemoved) {
  const test::ScratchFolder scratch;
  const std::filesystem::path folder = scratch / "run";
  std::filesystem::create_directories(folder);
  const auto held = file::Lock::try_acquire(folder / ".lock");
  ASSERT_TRUE(held);
  const test::KeptMessages said;
  std::jthread remover([&] {
    while (said.text().empty()) std::this_thread::yield();
    std::filesystem::remove_all(folder);
  });
  EXPECT_NO_THROW(wait_for_earlier(folder, "a training", {}));
  EXPECT_NE(said.text().find("waiting for the end of a training"), std::string::npos);
}

TEST(WaitForEarlier, SaysNothingWhereNobodyIsAtWork) {
  const test::ScratchFolder scratch;
  const test::KeptMessages said;
  wait_for_earlier(scratch / "nowhere", "a training", {});
  EXPECT_EQ(said.text(), "");
}

}  // namespace yolov7::process
