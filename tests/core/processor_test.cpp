#include "core/processor.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::test {

TEST(Processor, ALineOfTheFile) {
  EXPECT_EQ(processor_fact("no such key"), "unknown");
  const std::string number = processor_fact("processor");
  EXPECT_NE(read_text("/proc/cpuinfo").find(": " + number + "\n"), std::string::npos) << number;
}

TEST(Processor, NarrowNumbersByTheWordsOfTheKernel) {
  const ProcessorSpeed none = processor_speed("fpu sse2 avx avx512_vnni2 xavx2");
  EXPECT_FALSE(none.avx2 || none.avx512 || none.int8 || none.bfloat16 || none.int8_tiles ||
               none.bfloat16_tiles);
  const ProcessorSpeed zen = processor_speed("avx2 avx512f avx512_bf16 avx512_vnni");
  EXPECT_TRUE(zen.avx2 && zen.avx512 && zen.int8 && zen.bfloat16);
  EXPECT_FALSE(zen.int8_tiles || zen.bfloat16_tiles);
  EXPECT_TRUE(processor_speed("avx2 avx_vnni").int8);
  const ProcessorSpeed tiles = processor_speed("amx_bf16 amx_tile amx_int8");
  EXPECT_TRUE(tiles.int8_tiles && tiles.bfloat16_tiles);
}

}  // namespace yolov7::test
