// Who reads what, on a network whose values are numbered by hand.
#include "network/graph/links.hpp"

#include <gtest/gtest.h>

#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

Operation operation(Primitive primitive, std::vector<int> inputs, int output) {
  return {std::move(primitive), std::move(inputs), output, 0};
}

/// 0 → conv 1 → batch-norm 2 → conv 3 (lead level); 2 and 2 → concat 4 → conv 5 (auxiliary level) →
/// conv 6, which nobody reads.
Network by_hand() {
  Network n;
  n.value_count = 7;
  n.operations = {operation(Convolution{}, {0}, 1), operation(BatchNorm{}, {1}, 2),
                  operation(Convolution{}, {2}, 3), operation(Concat{}, {2, 2}, 4),
                  operation(Convolution{}, {4}, 5), operation(Convolution{}, {5}, 6)};
  n.levels.resize(2);
  n.levels[0].value = 3;
  n.levels[1].value = 5;
  n.levels[1].auxiliary = true;
  return n;
}

TEST(Links, MakersAndReaders) {
  const Network n = by_hand();
  const Links links(n);
  EXPECT_EQ(links.producer(0), nullptr);
  EXPECT_EQ(links.producer(2), &n.operations[1]);
  const std::vector<int> counts{1, 1, 3, 1, 1, 2, 0};
  for (int value = 0; value < n.value_count; ++value)
    EXPECT_EQ(links.reader_count(value), counts[static_cast<std::size_t>(value)]) << value;
  EXPECT_EQ(links.only_reader<BatchNorm>(1), &n.operations[1]);
  EXPECT_EQ(links.only_reader<Convolution>(1), nullptr) << "of another kind";
  EXPECT_EQ(links.only_reader<Convolution>(2), nullptr) << "three readers";
  EXPECT_EQ(links.only_reader<Convolution>(3), nullptr) << "a level and no operation";
  EXPECT_EQ(links.only_reader<Convolution>(4), &n.operations[4]);
  EXPECT_EQ(links.only_reader<Convolution>(5), nullptr) << "a level gives it out";
  EXPECT_EQ(links.only_reader<Convolution>(6), nullptr) << "nobody";
}

TEST(Links, NeededValues) {
  const Network n = by_hand();
  EXPECT_EQ(needed_values(n), (std::vector<char>{1, 1, 1, 1, 0, 0, 0}));
  EXPECT_EQ(needed_values(n, true), (std::vector<char>{1, 1, 1, 1, 1, 1, 0}));
}

// What the layers before the head give out, whatever the head does with it first.
TEST(Links, HeadInputs) {
  for (const char* name : {"training/yolov7-tiny.yaml", "training/yolov7-w6.yaml"}) {
    const Network n = build_config(name);
    std::vector<int> expected;
    for (const int layer : n.layers.back().inputs)
      expected.push_back(n.layers[static_cast<std::size_t>(layer)].output_value);
    EXPECT_EQ(head_inputs(n), expected) << name;
  }
}

}  // namespace
}  // namespace yolov7::network
