// Trained ranges as the text of a checkpoint, there and back, and what is refused.
#include "network/transform/stored_ranges.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "tests/runtime/hand_network.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::network {
namespace {

using testing::HandNetwork;

/// image → a → leaky ┬→ pool ─┐
///                   └────────┴→ concat → head. Values: 0 image, 1 a, 2 leaky, 3 pool, 4 concat,
/// 5 head.
Network pooled() {
  HandNetwork net;
  const auto ones = [](std::size_t count) { return std::vector<float>(count, 1); };
  const int a = net.activation(ActivationKind::leaky_relu, net.conv(0, 3, 2, ones(6), {0, 0}), 0.1);
  const int pool = net.add(MaxPool{3, 1, 1}, {a});
  net.level(net.conv(net.add(Concat{}, {a, pool}), 4, 6, ones(24), std::vector<float>(6, 0)), 1, 1);
  return net.network();
}

StoredRanges ranges() {
  StoredRanges all;
  all.activation_bits = 6;
  all.scales.per_tensor = true;
  all.scales.values.assign(6, {});
  all.scales.values[0] = {1.0F / 255, 0, 1.0F / 127, 255};
  all.scales.values[1] = {0.1F / 3, 11, 0.07F, 255};
  all.scales.values[2] = all.scales.values[3] =
      all.scales.values[4] = {0.0123456789F, 5, 0.02F, 63};
  return all;
}

TEST(StoredRanges, ThereAndBackToTheBit) {
  const StoredRanges back =
      stored_ranges(stored_ranges_text(pooled(), ranges()), pooled(), "best.pt");
  EXPECT_EQ(back.activation_bits, 6);
  EXPECT_TRUE(back.scales.per_tensor);
  EXPECT_TRUE(back.scales.corrections.empty());
  for (const std::size_t value : {0U, 1U, 2U, 3U, 4U})  // the pool's follow the value before it
    EXPECT_EQ(back.scales.values[value], ranges().scales.values[value]) << value;
}

TEST(StoredRanges, ACheckpointHoldsThem) {
  test::ScratchFolder scratch;
  Checkpoint checkpoint;
  checkpoint.config = "nc: 1\n";
  checkpoint.config_source = "one.yaml";
  checkpoint.class_count = 1;
  checkpoint.names = {"a"};
  checkpoint.quantization = stored_ranges_text(pooled(), ranges());
  write_checkpoint(scratch / "q.pt", checkpoint);
  const Checkpoint back = read_checkpoint(scratch / "q.pt");
  EXPECT_EQ(back.quantization, checkpoint.quantization);
  ASSERT_EQ(back.facts.notes.size(), 1U);
  EXPECT_NE(back.facts.notes[0].find("trained for integers"), std::string::npos);
  checkpoint.quantization.clear();
  write_checkpoint(scratch / "plain.pt", checkpoint);
  EXPECT_TRUE(read_checkpoint(scratch / "plain.pt").facts.notes.empty());
}

void expect_refused(const std::string& text, const std::string& why) {
  try {
    stored_ranges(text, pooled(), "best.pt");
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("best.pt"), 0U) << error.what();
  }
}

TEST(StoredRanges, WhatIsNoneOfThisNetworkIsRefused) {
  expect_refused("{}", "expected the ranges of a quantized network");
  expect_refused("[", "best.pt: ranges");
  expect_refused(R"({"activation_bits":8,"per_tensor":false,"values":[]})",
                 "those of the 3 values of this network that have one, found 0 others");
  const auto with = [](float scale, int zero_point, int most) {
    StoredRanges all = ranges();
    all.scales.values[2] = {scale, zero_point, 1, most};
    return stored_ranges_text(pooled(), all);
  };
  expect_refused(with(0, 0, 255), "value 2: expected scales above 0");
  expect_refused(with(-1, 0, 255), "value 2");
  expect_refused(with(1, 256, 255), "value 2");
  expect_refused(with(1, 0, 256), "value 2");
  expect_refused(with(1, -1, 255), "value 2");
}

}  // namespace
}  // namespace yolov7::network
