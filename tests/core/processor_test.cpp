#include "core/processor.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::test {

TEST(Processor, ALineOfTheFile) {
  EXPECT_EQ(processor_fact("no such key"), "unknown");
  const std::string number = processor_fact("processor");
  EXPECT_NE(read_text("/proc/cpuinfo").find(": " + number + "\n"), std::string::npos) << number;
}

}  // namespace yolov7::test
