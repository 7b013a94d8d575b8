#pragma once
// The interface of libyolov7-cuda, the only part that needs the headers of CUDA and NCCL. The
// program loads it, together with LibTorch's CUDA library, when a GPU is asked for; without a GPU
// the program runs without it.
#include <chrono>
#include <cstdint>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace yolov7::nn {

struct GpuFacts {
  std::string name;                ///< "NVIDIA H100 80GB HBM3"
  int major = 0, minor = 0;        ///< compute capability
  std::uint64_t memory_bytes = 0;  ///< total memory of the GPU
};

/// Changes with the members of GpuApi.
inline constexpr int gpu_api_version = 1;

struct GpuApi {
  int version = gpu_api_version;  ///< of the library that was loaded
  int (*count)();                 ///< visible GPUs; 0 without a driver
  GpuFacts (*facts)(int gpu);     ///< Error: no GPU of this number
  /// A NCCL backend for `size` processes, each with one GPU. A collective operation that takes
  /// longer than `deadline` ends the process.
  c10::intrusive_ptr<c10d::Backend> (*nccl)(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds deadline);
};

}  // namespace yolov7::nn

/// Never null; valid until the program ends.
extern "C" const yolov7::nn::GpuApi* yolov7_gpu_api();
