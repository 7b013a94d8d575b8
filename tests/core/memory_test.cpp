#include "core/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>

namespace yolov7 {
namespace {

TEST(Memory, ReadsLinesOfProc) {
  const char* text = "Name:\tyolov7\nVmHWM:\t  123456 kB\nVmRSS:\t    1000 kB\n";
  EXPECT_EQ(proc_bytes(text, "VmHWM"), 123456u * 1024);
  EXPECT_EQ(proc_bytes(text, "VmRSS"), 1000u * 1024);
  EXPECT_EQ(proc_bytes(text, "VmSwap"), 0u);
}

// getrusage counts the same peak in kibibytes, by another path through the kernel.
TEST(Memory, PeakGrowsWithWhatIsTouched) {
  const std::uint64_t before = peak_resident_bytes();
  constexpr std::size_t size = 64u << 20;
  const auto block = std::make_unique_for_overwrite<char[]>(size);
  for (volatile char* byte = block.get(); byte < block.get() + size; byte += 4096)
    *byte = 1;  // volatile: not to be optimised away
  EXPECT_GE(resident_bytes(), size);
  EXPECT_GE(peak_resident_bytes(), std::max<std::uint64_t>(before, size));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  EXPECT_NEAR(static_cast<double>(peak_resident_bytes()),
              static_cast<double>(usage.ru_maxrss) * 1024, 4e6);
}

TEST(Memory, TheLimitOfThisProcessCounts) {
  const AvailableMemory all = available_memory();
  EXPECT_GT(all.bytes, 0u);
  const std::uint64_t limit = resident_bytes() + (8u << 20);
  const AvailableMemory few = available_memory(limit);
  EXPECT_EQ(few.limited_by, "memory-limit");
  EXPECT_NEAR(static_cast<double>(few.bytes), 8.0 * (1 << 20),
              2e6);  // the process may grow a little in between
  EXPECT_EQ(available_memory(1).bytes, 0u);
}

TEST(Memory, Text) {
  EXPECT_EQ(memory_text(512u << 20), "512 MiB");
  EXPECT_EQ(memory_text(std::uint64_t{3} << 30), "3.0 GiB");
}

}  // namespace
}  // namespace yolov7
