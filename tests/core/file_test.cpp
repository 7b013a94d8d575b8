#include "core/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::file {
namespace fs = std::filesystem;
namespace {

class FileTest : public testing::Test {
 protected:
  std::size_t files() const { return scratch.files(); }
  test::ScratchFolder scratch;
  const fs::path& folder = scratch.path();
};

TEST_F(FileTest, LeftoversOfKilledWritersAreRemovedAndNothingElse) {
  // Ours, and libzip's, which writes beside the name that it is given.
  for (const char* name : {".last.pt.32072.tmp", ".last.pt.32072.tmp.h95cve", "last.pt",
                           "last.pt.tmp", ".hidden", ".last.pt.tmp.notes", "x.tmp.h95cve"})
    write_atomically(folder / name, "x");
  remove_temporaries(folder);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder))
    left.insert(entry.path().filename().string());
  EXPECT_EQ(left, (std::set<std::string>{"last.pt", "last.pt.tmp", ".hidden", ".last.pt.tmp.notes",
                                         "x.tmp.h95cve"}));
}

TEST_F(FileTest, ReplacesWholeFilesOnly) {
  const fs::path path = folder / "a.txt";
  write_atomically(path, "old");
  EXPECT_THROW(replace_atomically(path,
                                  [](const fs::path& temporary) {
                                    std::ofstream(temporary) << "half";
                                    throw Error("stop");
                                  }),
               Error);
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(files(), 1u);  // the temporary is gone
  write_atomically(path, "new");
  EXPECT_EQ(read(path), "new");
}

// A file size limit stands in for a full disk: write(2) fails in the middle in the same way.
TEST_F(FileTest, AFullDiskLeavesTheOldFile) {
  const fs::path path = folder / "a.txt";
  write_atomically(path, "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1024, 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(path, std::string(10'000, 'x'));
    } catch (const Error&) {
      ::_exit(7);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, ReadingSaysWhatIsWrong) {
  const auto message = [](const fs::path& path, std::uint64_t limit) -> std::string {
    try {
      read(path, limit);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message(folder / "none", 0).find("cannot open"), std::string::npos);
  EXPECT_NE(message(folder, 0).find("expected a file, found a folder"), std::string::npos);
  write_atomically(folder / "big", "12345");
  EXPECT_NE(message(folder / "big", 4).find("expected at most 4 bytes, found 5"),
            std::string::npos);
}

TEST_F(FileTest, WaitingForALockEndsWithAStop) {
  const fs::path path = folder / "lock";
  const auto held = Lock::try_acquire(path);
  ASSERT_TRUE(held);
  std::stop_source stop;
  stop.request_stop();
  try {
    Lock::acquire(path, stop.get_token());
    ADD_FAILURE() << "got a lock that another holds";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted);
  }
}

TEST_F(FileTest, ALockKeepsAnotherProcessOut) {
  const fs::path path = folder / "lock";
  auto held = Lock::try_acquire(path);
  ASSERT_TRUE(held);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(Lock::try_acquire(path) ? 0 : 7);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  held.reset();
  EXPECT_TRUE(Lock::try_acquire(path));
}

// XXH3-128 of the empty text with seed 0, as published by the xxHash project.
TEST_F(FileTest, ContentHashIsXxh3) {
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(content_hash("a"), content_hash("b"));
}

}  // namespace
}  // namespace yolov7::file
