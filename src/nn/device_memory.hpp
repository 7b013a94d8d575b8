#pragma once
// Tensor memory of a device as the memory contract sees it: how much a pass took at most, how much
// is left.
#include <cstddef>
#include <cstdint>

#include "kernels/torch.hpp"

namespace yolov7::nn {

class DeviceMemory {
 public:
  explicit DeviceMemory(at::Device device) : device_(device) {}
  void forget_peak();
  std::size_t peak_bytes() const;  ///< most bytes of tensors at once since forget_peak()
  std::size_t used_bytes() const;
  void release_unused();  ///< what is kept for later tensors goes back to the system
  /// A GPU: bytes that nobody uses, and that LibTorch keeps without using them.
  std::uint64_t free_bytes() const;

 private:
  at::Device device_;
};

}  // namespace yolov7::nn
