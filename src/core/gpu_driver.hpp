#pragma once
// GPUs as NVIDIA's driver tells of them, without CUDA's libraries: the driver's own library is
// loaded where it is found.
#include <cstdint>
#include <string>
#include <vector>

namespace yolov7 {

struct DriverGpu {
  std::string name;
  std::uint64_t memory_bytes = 0;
  int major = 0, minor = 0;  ///< compute capability
};

struct GpuDriver {
  std::string why_none;  ///< why `gpus` is empty; "" where it is not
  int cuda = 0;          ///< the newest CUDA that the driver serves: 12040 = 12.4; 0 = no driver
  std::vector<DriverGpu> gpus;
};

/// `library`: the driver's, or what stands for it in a test. Never an error.
GpuDriver gpu_driver(const char* library = "libcuda.so.1");

}  // namespace yolov7
