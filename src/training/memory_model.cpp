#include "training/memory_model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/setting_name.hpp"
#include "nn/device_memory.hpp"

namespace yolov7::training {
namespace {

constexpr double kept_free = 0.05;  ///< of the available memory, for what the model does not know

}  // namespace

std::uint64_t MemoryModel::peak(int batch, int micro) const {
  return base + static_cast<std::uint64_t>(per_micro_picture * micro + per_batch_picture * batch);
}

int MemoryModel::largest_batch(int most, std::uint64_t bytes) const {
  for (int batch = most; batch > 0; --batch)
    if (peak(batch, batch) <= bytes) return batch;
  return 0;
}

int MemoryModel::largest_micro(int batch, std::uint64_t bytes) const {
  for (int micro = batch;; micro = (micro + 1) / 2) {
    if (peak(batch, micro) <= bytes) return micro;
    if (micro == 1) return 0;
  }
}

Room room(const RunContext& context, double limit) {
  const nn::DeviceMemory device(context.device);
  const bool cpu = context.device.is_cpu();
  Room r;
  r.resident = cpu ? resident_bytes() : device.used_bytes();
  const AvailableMemory left =
      cpu ? available_memory() : AvailableMemory{device.free_bytes(), "the GPU"};
  // What the machine has is shared with the other processes on it; the limit is this process's.
  r.total = r.resident +
            left.bytes / static_cast<std::uint64_t>(cpu ? context.group->world().local_size : 1);
  r.limited_by = left.limited_by;
  const auto own_limit = static_cast<std::uint64_t>(limit * 1e9);
  if (cpu && own_limit > 0 && own_limit < r.total) {
    r.total = own_limit;
    r.limited_by = setting_name("memory-limit");
  }
  const std::uint64_t free = r.total - std::min(r.total, r.resident);
  r.allowed = r.total - static_cast<std::uint64_t>(static_cast<double>(free) * kept_free);
  return r;
}

std::string fits_text(const MemoryModel& model, const Room& room, int batch, int micro) {
  return fmt::format("predicted peak {} with a batch of {}{}; {} allows {}",
                     memory_text(model.peak(batch, micro)), batch,
                     micro < batch ? fmt::format(" in micro-batches of {}", micro) : "",
                     room.limited_by, memory_text(room.total));
}

}  // namespace yolov7::training
