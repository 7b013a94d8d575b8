#include "core/processor.hpp"

#include <algorithm>
#include <fstream>

#include "core/text.hpp"

namespace yolov7 {

std::string processor_fact(std::string_view key) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with(key))
      return std::string(
          text::trim(std::string_view(line).substr(std::min(line.size(), line.find(':') + 1))));
  return "unknown";
}

ProcessorSpeed processor_speed(std::string_view flags) {
  const auto words = text::split_blank(flags);
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  return {has("avx2"),        has("avx512f"),  has("avx512_vnni") || has("avx_vnni"),
          has("avx512_bf16"), has("amx_int8"), has("amx_bf16")};
}

}  // namespace yolov7
