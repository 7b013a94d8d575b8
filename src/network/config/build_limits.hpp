#pragma once
// What a configuration may ask for at most.
#include <cstdint>

namespace yolov7::network {

struct BuildLimits {
  int layers = 2000;
  std::int64_t parameters = 4'000'000'000;
  int channels = 65'536;
};

}  // namespace yolov7::network
