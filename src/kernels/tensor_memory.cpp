#include "kernels/tensor_memory.hpp"

#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

namespace yolov7::kernels {
namespace {

/// Smaller requests go to the allocator that was there before.
constexpr std::size_t smallest = std::size_t{256} << 10;
constexpr std::size_t granule = std::size_t{64} << 10;  ///< sizes of ranges are multiples of this
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t mapping = std::size_t{256} << 20;  ///< least size of a mapping

constexpr std::size_t round_up(std::size_t value, std::size_t to) {
  return (value + to - 1) / to * to;
}

/// Lies in front of the data, because LibTorch's deleter gets nothing but the address.
struct alignas(64) Header {
  TensorMemory* owner;
  c10::Allocator* small;  ///< where a small block came from; null for a large one
  std::size_t bytes;      ///< of the block with the header
};

Header* header_of(void* data) { return static_cast<Header*>(data) - 1; }

}  // namespace

TensorMemory::TensorMemory(c10::Allocator& small) : small_(small) {}

c10::DataPtr TensorMemory::allocate(std::size_t bytes) {
  std::size_t whole = bytes + sizeof(Header);
  const bool large = bytes >= smallest;
  if (large) whole = round_up(whole, granule);
  void* block = large ? take(whole) : small_.raw_allocate(whole);
  if (!large) count_small(static_cast<std::ptrdiff_t>(whole));
  auto* header = new (block) Header{this, large ? nullptr : &small_, whole};
  return {header + 1, header + 1, &release, c10::Device(c10::DeviceType::CPU)};
}

c10::DeleterFnPtr TensorMemory::raw_deleter() const { return &release; }

void TensorMemory::copy_data(void* to, const void* from, std::size_t bytes) const {
  std::memcpy(to, from, bytes);
}

void TensorMemory::release(void* data) {
  if (data == nullptr) return;
  Header* header = header_of(data);
  if (header->small != nullptr) {
    header->owner->count_small(-static_cast<std::ptrdiff_t>(header->bytes));
    header->small->raw_deallocate(header);
  } else {
    header->owner->give_back(reinterpret_cast<std::byte*>(header), header->bytes);
  }
}

std::byte* TensorMemory::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  auto found = free_by_size_.lower_bound({bytes, nullptr});
  if (found == free_by_size_.end()) {
    map_more(bytes);
    found = free_by_size_.lower_bound({bytes, nullptr});
  }
  const std::size_t size = found->first;
  std::byte* block = found->second;
  remove_free(free_.find(block));
  if (size > bytes) add_free(block + bytes, size - bytes);
  used_ += bytes;
  peak_ = std::max(peak_, used_ + small_used_);
  return block;
}

void TensorMemory::give_back(std::byte* block, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  used_ -= bytes;
  auto next = free_.lower_bound(block);
  if (next != free_.end() && block + bytes == next->first) {
    bytes += next->second;
    const auto joined = next++;
    remove_free(joined);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == block) {
      block = before->first;
      bytes += before->second;
      remove_free(before);
    }
  }
  add_free(block, bytes);
}

void TensorMemory::add_free(std::byte* block, std::size_t bytes) {
  free_.emplace(block, bytes);
  free_by_size_.emplace(bytes, block);
}

void TensorMemory::remove_free(std::map<std::byte*, std::size_t>::iterator range) {
  free_by_size_.erase({range->second, range->first});
  free_.erase(range);
}

void TensorMemory::map_more(std::size_t bytes) {
  std::size_t size = std::max(mapping, round_up(bytes, huge_page));
  if (limit_ > 0 && mapped_ + size > limit_) size = round_up(bytes, huge_page);
  if (limit_ > 0 && mapped_ + size > limit_)
    throw OutOfMemory(
        fmt::format("out of memory: tensors need {} MiB more than the {} MiB that they have; "
                    "the limit is {} MiB: lower the batch size or the image size",
                    size >> 20, mapped_ >> 20, limit_ >> 20));
  void* raw = mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) {
    throw OutOfMemory(
        fmt::format("out of memory: tensors need {} MiB more than the {} MiB that they have; "
                    "the system refused: lower the batch size or the image size",
                    size >> 20, mapped_ >> 20));
  }
  const auto address = reinterpret_cast<std::uintptr_t>(raw);
  auto* block = static_cast<std::byte*>(raw) + (round_up(address, huge_page) - address);
  madvise(block, size, MADV_HUGEPAGE);  // a request: the memory works without huge pages too
  mapped_ += size;
  add_free(block, size);
}

void TensorMemory::release_unused() {
  const std::lock_guard lock(mutex_);
  for (const auto& [block, bytes] : free_) madvise(block, bytes, MADV_DONTNEED);
}

void TensorMemory::set_limit(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
}

std::size_t TensorMemory::mapped_bytes() const {
  const std::lock_guard lock(mutex_);
  return mapped_;
}

std::size_t TensorMemory::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

void TensorMemory::count_small(std::ptrdiff_t bytes) {
  const std::lock_guard lock(mutex_);
  small_used_ += static_cast<std::size_t>(bytes);
  peak_ = std::max(peak_, used_ + small_used_);
}

std::size_t TensorMemory::peak_bytes() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

void TensorMemory::forget_peak() {
  const std::lock_guard lock(mutex_);
  peak_ = used_ + small_used_;
}

TensorMemory& keep_tensor_memory() {
  c10::Allocator* now = c10::GetCPUAllocator();
  if (auto* known = dynamic_cast<TensorMemory*>(now)) return *known;
  auto* memory = new TensorMemory(*now);
  c10::SetCPUAllocator(memory, /*priority=*/1);
  return *memory;
}

}  // namespace yolov7::kernels
