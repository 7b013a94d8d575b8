#include "exporting/backed_weights.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <memory>

#include "core/memory.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::exporting {
namespace {

/// Two large tensors and a small one; value i of tensor t is 3·i + t, in four bytes.
std::shared_ptr<network::NetworkAndWeights> large_weights(std::int64_t count) {
  auto all = std::make_shared<network::NetworkAndWeights>();
  for (int t = 0; t < 3; ++t) {
    network::Tensor tensor;
    tensor.shape = {t == 2 ? 10 : count};
    tensor.bytes.resize(4 * static_cast<std::size_t>(tensor.shape[0]));
    for (std::int64_t i = 0; i < tensor.shape[0]; ++i) {
      const auto value = static_cast<std::uint32_t>(3 * i + t);
      std::memcpy(tensor.bytes.data() + 4 * i, &value, 4);
    }
    all->weights.set("tensor" + std::to_string(t), std::move(tensor));
  }
  return all;
}

bool as_made(const network::NetworkAndWeights& all) {
  for (int t = 0; t < 3; ++t) {
    const network::Tensor& tensor = all.weights.at("tensor" + std::to_string(t));
    for (std::int64_t i = 0; i < tensor.shape[0]; ++i) {
      std::uint32_t value = 0;
      std::memcpy(&value, tensor.bytes.data() + 4 * i, 4);
      if (value != static_cast<std::uint32_t>(3 * i + t)) return false;
    }
  }
  return true;
}

TEST(BackedWeights, StayTheSameAndNeedNoMemory) {
  const test::ScratchFolder folder;
  constexpr std::int64_t count = 10'000'000;  // 40 MB each
  const auto weights = large_weights(count);
  const BackedWeights backed(weights, folder.path());
  if (backed.bytes() == 0) GTEST_SKIP() << "skipped: no files without names in the test's folder";
  // All but the first and the last page of each large tensor.
  EXPECT_GT(backed.bytes(), 2 * 4 * count - 4 * 65536);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(as_made(*weights));
  const std::uint64_t before = resident_bytes();
  backed.give_back();
  // 80 MB were given back; what else the process does meanwhile is far less than 20 MB.
  EXPECT_LT(resident_bytes() + 60'000'000, before);
  EXPECT_TRUE(as_made(*weights));
  backed.give_back();
  EXPECT_TRUE(as_made(*weights));
}

TEST(BackedWeights, WithoutAFolderTheyStayInMemory) {
  const auto weights = large_weights(100'000);
  const BackedWeights backed(weights, "/no/such/folder");
  EXPECT_EQ(backed.bytes(), 0U);
  backed.give_back();
  EXPECT_TRUE(as_made(*weights));
}

// As other memory: it may be written by whoever owns it after all, and it is freed.
TEST(BackedWeights, OwnersMayFreeThem) {
  const test::ScratchFolder folder;
  for (int round = 0; round < 20; ++round) {
    auto weights = large_weights(500'000);
    { const BackedWeights backed(weights, folder.path()); }
    EXPECT_TRUE(as_made(*weights));
    weights.reset();
    std::vector<std::byte> again(3'000'000, std::byte{7});
    EXPECT_EQ(again[2'999'999], std::byte{7});
  }
}

}  // namespace
}  // namespace yolov7::exporting
