#include "nn/cuda/gpu_api.hpp"

#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <stdexcept>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace {

int count() { return c10::cuda::device_count(); }

yolov7::nn::GpuFacts facts(int gpu) {
  cudaDeviceProp properties{};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, gpu); error != cudaSuccess)
    throw std::runtime_error(cudaGetErrorString(error));
  return {properties.name, properties.major, properties.minor, properties.totalGlobalMem};
}

c10::intrusive_ptr<c10d::Backend> nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                       int size, std::chrono::milliseconds deadline) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = deadline;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const yolov7::nn::GpuApi* yolov7_gpu_api() {
  static const yolov7::nn::GpuApi api{yolov7::nn::gpu_api_version, &count, &facts, &nccl};
  return &api;
}
