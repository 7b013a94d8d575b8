#include "core/freed_memory.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/memory.hpp"
#include "tests/sanitized.hpp"

using namespace yolov7;

// 4,096 blocks of 64 KiB are 256 MiB; they are below the size that is always given back at once.
// A last block above them keeps the allocator from shrinking by itself.
TEST(FreedMemory, GoesBackToTheMachine) {
#if !defined(__GLIBC__)
  GTEST_SKIP() << "another allocator";
#endif
  if (test::other_allocator) GTEST_SKIP() << "another allocator";
  constexpr std::size_t block = 64 << 10, blocks = 4096;
  std::vector<std::vector<char>> held(blocks);
  for (auto& one : held) one.assign(block, 1);
  const std::vector<char> last(block, 1);
  const std::uint64_t full = resident_bytes();
  held.clear();
  return_freed_memory();
  EXPECT_LT(resident_bytes() + blocks * block * 9 / 10, full);
  EXPECT_EQ(last[0], 1);
}
