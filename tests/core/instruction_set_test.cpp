#include "core/instruction_set.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace yolov7 {
namespace {

/// What the kernel says of this processor; it leaves out what it does not let programs use.
std::set<std::string> kernel_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> flags;
    for (std::string word; words >> word;) flags.insert(word);
    return flags;
  }
  return {};
}

TEST(InstructionSet, IsWhatTheKernelSays) {
  const std::set<std::string> flags = kernel_flags();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo names no flags here";
  const bool avx512 = flags.contains("avx512f") && flags.contains("avx512bw") &&
                      flags.contains("avx512cd") && flags.contains("avx512dq") &&
                      flags.contains("avx512vl");
  const bool avx2 = flags.contains("avx2") && flags.contains("fma") && flags.contains("bmi2");
  EXPECT_EQ(best_instruction_set(), avx512 ? InstructionSet::avx512
                                    : avx2 ? InstructionSet::avx2
                                           : InstructionSet::portable);
  EXPECT_EQ(has_bfloat16_products(), avx512 && flags.contains("avx512_bf16"));
  EXPECT_EQ(has_bfloat16_tiles(), flags.contains("amx_bf16") && flags.contains("amx_tile"));
}

}  // namespace
}  // namespace yolov7
