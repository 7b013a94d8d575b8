#pragma once
// The face of libyolov7-cuda, the only part that needs CUDA's and NCCL's headers. It is loaded, and
// LibTorch's CUDA library with it, when a GPU is asked for; the same program runs where there is
// none.
#include <chrono>
#include <cstdint>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace yolov7::nn {

struct GpuFacts {
  std::string name;          ///< "NVIDIA H100 80GB HBM3"
  int major = 0, minor = 0;  ///< compute capability
  std::uint64_t memory_bytes = 0;
};

struct GpuApi {
  int (*count)();  ///< visible GPUs; 0 without a driver
  GpuFacts (*facts)(int gpu);
  /// NCCL over the GPUs of `size` processes, one each. A collective that takes longer than
  /// `deadline` ends the process.
  c10::intrusive_ptr<c10d::Backend> (*nccl)(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds deadline);
};

}  // namespace yolov7::nn

extern "C" const yolov7::nn::GpuApi* yolov7_gpu_api();
