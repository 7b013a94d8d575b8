// Whether blocks that are freed and taken again are given new pages by the system.
#include "core/allocation.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/sanitized.hpp"

namespace yolov7 {
namespace {

/// Page faults of taking, filling and freeing three blocks of 20 MB ten times, after once.
long faults() {
  const auto round = [] {
    std::vector<void*> blocks;
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(std::malloc(20u << 20));
      std::memset(blocks.back(), 1, 20u << 20);
    }
    for (void* block : blocks) std::free(block);
  };
  const auto count = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
  };
  round();
  const long before = count();
  for (int i = 0; i < 10; ++i) round();
  return count() - before;
}

TEST(Allocation, FreedBlocksAreTakenAgainWithoutNewPages) {
#if !defined(__GLIBC__)
  GTEST_SKIP() << "another allocator";
#endif
  if (test::other_allocator) GTEST_SKIP() << "another allocator";
  keep_freed_memory();
  constexpr long pages_of_a_round = 3 * (20 << 20) / 4096;
  EXPECT_LT(faults(), pages_of_a_round / 2);
}

}  // namespace
}  // namespace yolov7
