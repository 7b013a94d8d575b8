#pragma once
// Memory for large tensors that is kept instead of given back. A training step allocates the same
// gigabytes every time; through malloc they are unmapped and mapped again, and every page is
// cleared by the kernel at its first use, which costs more than the whole batch-norm
// (docs/performance.md).
#include <c10/core/Allocator.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/error.hpp"

namespace yolov7::kernels {

/// Best fit over large mappings with huge pages; neighbouring free ranges join. Thread-safe. Memory
/// grows with the largest need and stays until release_unused(). Requests under 256 KiB go to the
/// allocator that was there before.
class TensorMemory : public c10::Allocator {
 public:
  explicit TensorMemory(c10::Allocator& small);

  /// 64-byte aligned. Error where the system has no memory left.
  c10::DataPtr allocate(std::size_t bytes) override;
  c10::DeleterFnPtr raw_deleter() const override;
  void copy_data(void* to, const void* from, std::size_t bytes) const override;

  /// Gives the pages of all free ranges back to the system; the addresses stay reserved.
  void release_unused();
  /// All mappings together stay below this many bytes from now on, or allocate() throws
  /// OutOfMemory; 0 = no limit.
  void set_limit(std::size_t bytes);
  std::size_t mapped_bytes() const;  ///< of all mappings
  std::size_t used_bytes() const;    ///< of them handed out, headers included
  std::size_t peak_bytes() const;  ///< most bytes handed out at once since the last forget_peak(),
                                   ///< small requests included
  void forget_peak();

 private:
  std::byte* take(std::size_t bytes);
  void give_back(std::byte* block, std::size_t bytes);
  void add_free(std::byte* block, std::size_t bytes);
  void remove_free(std::map<std::byte*, std::size_t>::iterator range);
  void map_more(std::size_t bytes);
  void count_small(std::ptrdiff_t bytes);
  static void release(void* data);

  c10::Allocator& small_;
  mutable std::mutex mutex_;
  std::map<std::byte*, std::size_t> free_;                     ///< ranges by address
  std::set<std::pair<std::size_t, std::byte*>> free_by_size_;  ///< the same, smallest first
  std::size_t mapped_ = 0, used_ = 0;
  std::size_t small_used_ = 0, peak_ = 0, limit_ = 0;
};

/// The system has no memory left for a tensor.
struct OutOfMemory : Error {
  using Error::Error;
};

/// From now on LibTorch's CPU tensors of this process use a TensorMemory, which is returned; a
/// second call changes nothing. It lives as long as the process, because LibTorch keeps its address
/// and tensors may outlive everything else.
TensorMemory& keep_tensor_memory();

}  // namespace yolov7::kernels
