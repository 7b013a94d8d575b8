// The checkpoint writer, killed at random instants and starved of disk at every position: what is
// on disk can always be read.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "core/error.hpp"
#include "core/file.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/pickle_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;
namespace fs = std::filesystem;

/// `kind` fills every tensor, so that a mixture of two writings would be seen.
Checkpoint filled(unsigned char kind) {
  Checkpoint c;
  c.config = small_config("  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, IDetect, [nc, anchors]]\n");
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"a", "b"};
  c.state = std::string(1, static_cast<char>('a' + kind));
  for (int i = 0; i < 20; ++i) {
    Tensor tensor;
    tensor.shape = {64, 128};
    tensor.bytes.assign(64 * 128 * 4, std::byte{kind});
    c.model.set("tensor" + std::to_string(i), tensor);
  }
  return c;
}

/// 'a', 'b' …: which writing the file holds, whole.
char content(const fs::path& path) {
  const Checkpoint c = read_checkpoint(path);
  for (const auto& [name, tensor] : c.model.entries())
    for (const std::byte byte : tensor.bytes)
      if (static_cast<char>('a' + static_cast<int>(byte)) != c.state.at(0))
        throw std::runtime_error(name + " is a mixture");
  return c.state.at(0);
}

int rounds(const char* variable, int usual) {
  const char* wanted = std::getenv(variable);
  return wanted != nullptr ? std::atoi(wanted) : usual;
}

TEST(CheckpointWriter, KilledAtRandomInstants) {
  const test::ScratchFolder folder;
  const fs::path path = folder / "last.pt", previous = folder / "last.previous.pt";
  write_checkpoint(path, filled(0));
  std::mt19937 random(3);
  int with_debris = 0;
  for (int round = 0; round < rounds("YOLOV7_WRITER_KILLS", 50); ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (unsigned char kind = 1;; kind = static_cast<unsigned char>(1 + kind % 20))
        write_checkpoint(path, filled(kind), previous);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_NO_THROW(content(path)) << "round " << round;
    if (fs::exists(previous)) {
      ASSERT_NO_THROW(content(previous)) << "round " << round;
    }
    for (const auto& entry : fs::directory_iterator(folder / "."))
      with_debris += entry.path().extension() == ".tmp";
    for (const auto& entry : fs::directory_iterator(folder / "."))
      if (entry.path().extension() == ".tmp") fs::remove(entry.path());
  }
  EXPECT_GT(with_debris, 0);  // some kills did hit the writing
}

// A file size limit stands in for a full disk: write(2) fails in the middle in the same way.
TEST(CheckpointWriter, ADiskThatIsFullAtAnyPosition) {
  const test::ScratchFolder folder;
  const fs::path path = folder / "last.pt", previous = folder / "last.previous.pt";
  write_checkpoint(path, filled(0));
  write_checkpoint(path, filled(1), previous);
  const auto size = static_cast<rlim_t>(fs::file_size(path));
  const rlim_t step =
      std::max<rlim_t>(1, size / static_cast<rlim_t>(rounds("YOLOV7_WRITER_POSITIONS", 40)));
  for (rlim_t room = 0; room < size; room += step) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{room, room};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      try {
        write_checkpoint(path, filled(2), previous);
      } catch (const Error&) {
        ::_exit(7);
      } catch (...) {
        ::_exit(9);
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7)
        << "room for " << room << " bytes: " << status;
    ASSERT_EQ(content(path), 'b') << room;
    ASSERT_EQ(content(previous), 'a') << room;
    ASSERT_EQ(std::distance(fs::directory_iterator(folder / "."), fs::directory_iterator{}), 2)
        << room;
  }
}

}  // namespace
}  // namespace yolov7::network
