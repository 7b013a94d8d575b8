#include "kernels/tensor_memory.hpp"

#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "kernels/torch.hpp"

namespace yolov7::training {
namespace {

using kernels::TensorMemory;
constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// The data of a block, and that it is still what was written into it.
struct Block {
  c10::DataPtr data;
  std::size_t size;
  unsigned char mark;
  bool intact() const {
    const auto* bytes = static_cast<const unsigned char*>(data.get());
    return bytes[0] == mark && bytes[size / 2] == mark && bytes[size - 1] == mark;
  }
};
Block make(TensorMemory& memory, std::size_t size, unsigned char mark) {
  Block block{memory.allocate(size), size, mark};
  std::memset(block.data.get(), mark, size);
  return block;
}

TEST(TensorMemory, GivesSeparateAlignedMemory) {
  TensorMemory memory(*c10::GetCPUAllocator());
  std::vector<Block> blocks;
  const std::size_t sizes[] = {1,          100,          256 * 1024 - 1, 256 * 1024,
                               300 * 1024, 3 * mebibyte, 17 * mebibyte};
  unsigned char mark = 1;
  for (int round = 0; round < 3; ++round)
    for (const std::size_t size : sizes) blocks.push_back(make(memory, size, mark++));
  for (const Block& block : blocks) {
    EXPECT_TRUE(block.intact()) << int{block.mark};
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data.get()) % 64, 0u);
  }
}

TEST(TensorMemory, JoinsWhatIsGivenBackAndUsesItAgain) {
  TensorMemory memory(*c10::GetCPUAllocator());
  const void* first = nullptr;
  for (int round = 0; round < 4; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 60; ++i) blocks.push_back(make(memory, 4 * mebibyte - 1000, 7));
    if (round == 0) first = blocks.front().data.get();
    EXPECT_EQ(blocks.front().data.get(), first);
    std::swap(blocks[5], blocks[40]);  // given back in another order
    EXPECT_GE(memory.used_bytes(), 60 * (4 * mebibyte - 1000));
  }
  EXPECT_EQ(memory.used_bytes(), 0u);
  const std::size_t mapped = memory.mapped_bytes();
  EXPECT_EQ(mapped, 256 * mebibyte);                    // 60 blocks of 4 MiB fit in one mapping
  const Block large = make(memory, 250 * mebibyte, 3);  // another shape: the joined ranges serve it
  EXPECT_EQ(memory.mapped_bytes(), mapped);
}

TEST(TensorMemory, GrowsForWhatDoesNotFit) {
  TensorMemory memory(*c10::GetCPUAllocator());
  const Block small = make(memory, mebibyte, 1);
  const Block large = make(memory, 400 * mebibyte, 2);
  EXPECT_GE(memory.mapped_bytes(), 656 * mebibyte);
  EXPECT_TRUE(small.intact());
}

TEST(TensorMemory, ReleasesOnlyWhatNobodyUses) {
  TensorMemory memory(*c10::GetCPUAllocator());
  const Block kept = make(memory, 5 * mebibyte, 9);
  { const Block gone = make(memory, 50 * mebibyte, 8); }
  memory.release_unused();
  EXPECT_TRUE(kept.intact());
  const Block again = make(memory, 50 * mebibyte, 6);
  EXPECT_TRUE(again.intact());
}

TEST(TensorMemory, ServesSeveralThreads) {
  TensorMemory memory(*c10::GetCPUAllocator());
  std::vector<std::thread> threads;
  std::vector<int> broken(4, 0);
  for (std::size_t t = 0; t < broken.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const Block a = make(memory, (i % 7 + 1) * 300 * 1024, static_cast<unsigned char>(t + 1));
        const Block b = make(memory, 5000, static_cast<unsigned char>(t + 101));
        if (!a.intact() || !b.intact()) ++broken[t];
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : broken) EXPECT_EQ(count, 0);
  EXPECT_EQ(memory.used_bytes(), 0u);
}

TEST(TensorMemory, ServesLibTorch) {
  c10::Allocator* before = c10::GetCPUAllocator();
  kernels::keep_tensor_memory();
  auto* memory = dynamic_cast<TensorMemory*>(c10::GetCPUAllocator());
  ASSERT_NE(memory, nullptr);
  kernels::keep_tensor_memory();
  EXPECT_EQ(c10::GetCPUAllocator(), memory);
  {
    const at::Tensor x = at::ones({4, 64, 64, 64});  // 4 MiB
    EXPECT_GE(memory->used_bytes(), x.nbytes());
    const at::Tensor y =
        at::conv2d(x, at::ones({64, 64, 1, 1}));  // its scratch memory comes from the same place
    EXPECT_EQ(y.sum().item<double>(), 64.0 * static_cast<double>(x.numel()));
    EXPECT_EQ(at::empty({0}).numel(), 0);
  }
  EXPECT_EQ(memory->used_bytes(), 0u);
  c10::SetCPUAllocator(before, 1);
  // It lives until the process ends, as in the program: memory may be given back to it any time.
  static const c10::Allocator* const kept = memory;
  EXPECT_NE(kept, before);
}

}  // namespace
}  // namespace yolov7::training
