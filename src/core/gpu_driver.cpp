#include "core/gpu_driver.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>

#include "core/text.hpp"

namespace yolov7 {
namespace {

/// CUDA's driver interface ("CUDA Driver API", docs.nvidia.com): every function returns 0 where it
/// did what it was asked for.
using Init = int (*)(unsigned flags);
using Number = int (*)(int* value);
using Get = int (*)(int* device, int ordinal);
using Name = int (*)(char* name, int length, int device);
using Memory = int (*)(std::size_t* bytes, int device);
using Attribute = int (*)(int* value, int attribute, int device);

constexpr int capability_major = 75, capability_minor = 76;

template <class Function>
Function entry(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

DriverGpu told(void* library, int device) {
  DriverGpu gpu;
  std::array<char, 256> name{};
  if (const auto get = entry<Name>(library, "cuDeviceGetName");
      get != nullptr && get(name.data(), static_cast<int>(name.size()) - 1, device) == 0)
    gpu.name = text::printable(name.data());
  if (const auto get = entry<Memory>(library, "cuDeviceTotalMem_v2")) {
    std::size_t bytes = 0;
    if (get(&bytes, device) == 0) gpu.memory_bytes = bytes;
  }
  if (const auto get = entry<Attribute>(library, "cuDeviceGetAttribute")) {
    get(&gpu.major, capability_major, device);
    get(&gpu.minor, capability_minor, device);
  }
  return gpu;
}

}  // namespace

GpuDriver gpu_driver(const char* library_name) {
  GpuDriver driver;
  void* library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    driver.why_none = "no driver of NVIDIA is installed";
    return driver;
  }
  const auto init = entry<Init>(library, "cuInit");
  const auto version = entry<Number>(library, "cuDriverGetVersion"),
             count = entry<Number>(library, "cuDeviceGetCount");
  const auto get = entry<Get>(library, "cuDeviceGet");
  if (init == nullptr || version == nullptr || count == nullptr || get == nullptr) {
    driver.why_none =
        fmt::format("{}: expected NVIDIA's driver, found something else", library_name);
    return driver;
  }
  version(&driver.cuda);
  if (const int code = init(0); code != 0) {
    driver.why_none = fmt::format("NVIDIA's driver is installed and finds no GPU (error {})", code);
    return driver;
  }
  int gpus = 0;
  count(&gpus);
  for (int i = 0; i < gpus; ++i) {
    int device = 0;
    if (get(&device, i) == 0) driver.gpus.push_back(told(library, device));
  }
  if (driver.gpus.empty()) driver.why_none = "NVIDIA's driver is installed and shows no GPU";
  return driver;
}

}  // namespace yolov7
