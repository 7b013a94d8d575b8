#include "nn/device.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <mutex>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "nn/cuda/gpu_api.hpp"

namespace yolov7::nn {
namespace {

/// The driver's node, without which no GPU can be used: looking is cheap, loading LibTorch's CUDA
/// library is not.
bool driver_present() {
  return std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/nvidia0") ||
         std::filesystem::exists("/dev/dxg");
}

at::Device use(const GpuApi& api, int gpu) {
  const int count = api.count();
  if (count == 0)
    throw usage_error(fmt::format(
        "{} {}: no GPU is visible (is the driver there, and CUDA_VISIBLE_DEVICES not empty?)",
        setting_name("device"), gpu));
  if (gpu < 0 || gpu >= count)
    throw Error(fmt::format("{}: expected a GPU from 0 to {}, found {} ({} visible)",
                            setting_name("device"), count - 1, gpu, count));
  const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(gpu));
  c10::impl::VirtualGuardImpl(at::kCUDA).setDevice(device);
  at::globalContext().setAllowTF32CuDNN(
      false);  // float32 is float32; narrow types are chosen by --precision
  return device;
}

}  // namespace

const GpuApi* gpu_api(std::string& why) {
  static std::once_flag once;
  static const GpuApi* api = nullptr;
  static std::string reason;
  std::call_once(once, [] {
    void* library = dlopen("libyolov7-cuda.so", RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) {
      reason = dlerror();
      return;
    }
    const auto table = reinterpret_cast<const GpuApi* (*)()>(dlsym(library, "yolov7_gpu_api"));
    const int version = table == nullptr ? 0 : table()->version;
    if (version == gpu_api_version)
      api = table();
    else
      reason = fmt::format("libyolov7-cuda.so: expected version {}, found {}", gpu_api_version,
                           version == 0 ? std::string("none") : std::to_string(version));
  });
  why = reason;
  return api;
}

at::Device choose_device(const std::string& option, const run::World& world) {
  if (option == "cpu" || (option.empty() && !driver_present())) return at::kCPU;
  std::string why;
  const GpuApi* api = gpu_api(why);
  if (option.empty()) {
    if (api == nullptr || api->count() <= world.local_rank) {
      log::warning(fmt::format(
          "a GPU's driver is here, but {}: computing on the processor ({} cpu says that it is "
          "meant)",
          api == nullptr ? why : "it shows no GPU for this process", setting_name("device")));
      return at::kCPU;
    }
    if (world.alone() && api->count() > 1)
      log::info(fmt::format("{} GPUs are here, one is used ({} 0,1 uses two)", api->count(),
                            setting_name("device")));
    return use(*api, world.local_rank);
  }
  if (api == nullptr)
    throw usage_error(fmt::format("{} {}: {} (scripts/setup --gpu installs what GPUs need)",
                                  setting_name("device"), option, why));
  const std::vector<int> gpus = run::gpus_of(option);
  if (static_cast<std::size_t>(world.local_rank) >= gpus.size())
    throw usage_error(
        fmt::format("{}: expected a GPU for each of the {} processes of this machine, found {}",
                    setting_name("device"), world.local_size, gpus.size()));
  return use(*api, gpus[static_cast<std::size_t>(world.local_rank)]);
}

bool gpu_computes_bfloat16(at::Device device) {
  std::string why;
  const GpuApi* api = gpu_api(why);
  return api != nullptr && api->facts(device.index()).major >= 8;
}

std::string device_text(at::Device device) {
  if (device.is_cpu()) return "the processor";
  std::string why;
  const GpuApi* api = gpu_api(why);
  if (api == nullptr) return device.str();
  const GpuFacts facts = api->facts(device.index());
  return fmt::format("{} ({:.1f} GB, compute capability {}.{})", facts.name,
                     static_cast<double>(facts.memory_bytes) / 1e9, facts.major, facts.minor);
}

}  // namespace yolov7::nn
