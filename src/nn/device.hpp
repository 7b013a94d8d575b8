#pragma once
// Where a training computes: the processor, or one GPU a process.
#include <string>

#include "kernels/torch.hpp"
#include "run/world.hpp"

namespace yolov7::nn {

struct GpuApi;

/// libyolov7-cuda, loaded at the first call; nothing, and `why` in words, where it or a library
/// that it needs cannot be loaded.
const GpuApi* gpu_api(std::string& why);

/// `option` is --device: "cpu"; "0", "1,3": the GPU of this process's place in the list; "": a GPU
/// where there is one, else the processor. The GPU becomes the thread's current one. Errors: a GPU
/// that was asked for and cannot be used, with what is missing.
at::Device choose_device(const std::string& option, const run::World& world);

/// Compute capability 8.0 (2020) or later; older ones have float16 alone.
bool gpu_computes_bfloat16(at::Device device);

/// "NVIDIA H100 80GB HBM3 (79.6 GB, compute capability 9.0)", "the processor".
std::string device_text(at::Device device);

}  // namespace yolov7::nn
