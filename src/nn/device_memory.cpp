#include "nn/device_memory.hpp"

#include <c10/core/CachingDeviceAllocator.h>

#include "kernels/tensor_memory.hpp"

namespace yolov7::nn {
namespace {

constexpr auto all_sizes = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);

c10::DeviceAllocator& allocator(at::Device device) {
  return *c10::getDeviceAllocator(device.type());
}

}  // namespace

void DeviceMemory::forget_peak() {
  if (device_.is_cpu())
    kernels::keep_tensor_memory().forget_peak();
  else
    allocator(device_).resetPeakStats(device_.index());
}

std::size_t DeviceMemory::peak_bytes() const {
  if (device_.is_cpu()) return kernels::keep_tensor_memory().peak_bytes();
  return static_cast<std::size_t>(
      allocator(device_).getDeviceStats(device_.index()).allocated_bytes[all_sizes].peak);
}

std::size_t DeviceMemory::used_bytes() const {
  if (device_.is_cpu()) return kernels::keep_tensor_memory().used_bytes();
  return static_cast<std::size_t>(
      allocator(device_).getDeviceStats(device_.index()).allocated_bytes[all_sizes].current);
}

void DeviceMemory::release_unused() {
  if (device_.is_cpu())
    kernels::keep_tensor_memory().release_unused();
  else
    allocator(device_).emptyCache();
}

std::uint64_t DeviceMemory::free_bytes() const {
  const auto stats = allocator(device_).getDeviceStats(device_.index());
  return allocator(device_).getMemoryInfo(device_.index()).first +
         static_cast<std::uint64_t>(stats.reserved_bytes[all_sizes].current -
                                    stats.allocated_bytes[all_sizes].current);
}

}  // namespace yolov7::nn
