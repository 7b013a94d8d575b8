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

}  // namespace yolov7
