// The search over a graph of three operations, whose values the test makes up.
#include "equivalence/first_difference.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/runtime/hand_network.hpp"
#include "tests/stopping.hpp"

namespace yolov7::equivalence {
namespace {

using runtime::InnerValue;

/// Answers from a table.
class Table final : public runtime::InnerValues {
 public:
  std::map<std::string, InnerValue> values;
  std::vector<std::optional<InnerValue>> of(std::span<const std::string> names,
                                            const runtime::PixelBatch&) override {
    std::vector<std::optional<InnerValue>> found;
    for (const std::string& name : names) {
      const auto one = values.find(name);
      found.push_back(one == values.end() ? std::nullopt : std::optional(one->second));
    }
    return found;
  }
};

/// Value 1 = ReLU of the image, value 2 = upsample of value 1, value 3 = the sum of both.
struct Graph {
  testing::HandNetwork net;
  network::DetectorProgram program;
  Table parent, file;
  std::vector<std::string> names{"", "a", "b", "c"};
  Graph() {
    const int relu = net.activation(network::ActivationKind::relu, 0);
    const int up = net.add(network::Upsample{}, {relu});
    net.add(network::Add{}, {up, up});
    for (int value = 1; value <= 3; ++value) {
      const InnerValue one{{1, 2}, {10, -4}};
      parent.values[runtime::value_name(value)] = one;
      file.values[names[static_cast<std::size_t>(value)]] = one;
    }
  }
  std::optional<FirstDifference> search(const std::stop_token& stop = {}) {
    return first_difference({net.network(), program, parent, file, names, 1e-5, stop},
                            noise_pictures(1, 32, 32)[0]);
  }
};

}  // namespace

TEST(FirstDifference, NothingWhereAllIsEqual) { EXPECT_FALSE(Graph().search()); }

TEST(FirstDifference, TheOperationWhoseInputsAreStillEqual) {
  Graph graph;
  graph.file.values["b"].values[1] += 1, graph.file.values["c"].values[0] += 5;
  const auto found = graph.search();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->operation, "upsample, layer 0");
  EXPECT_DOUBLE_EQ(found->share, 0.1) << "1 of 10, the largest";
}

// Rounding of float32 in front of it does not hide an operation that makes far more of it.
TEST(FirstDifference, RoundingIsHandedOnAndNotNamed) {
  Graph graph;
  graph.file.values["a"].values[0] += 2e-4F;  // a share of 2e-5
  graph.file.values["b"].values[0] += 4e-4F;
  graph.file.values["c"].values[0] += 1;
  graph.names[1].clear();
  EXPECT_EQ(graph.search()->operation, "upsample, layer 0") << "the file has no value 1";
  graph.names[1] = "a";
  graph.parent.values[runtime::value_name(1)].values[0] += 2e-4F;
  graph.file.values["b"].values[0] = 10 + 5e-5F;  // below the tolerance
  EXPECT_EQ(graph.search()->operation, "sum, layer 0");
}

TEST(FirstDifference, StopsWhereAsked) {
  Graph graph;
  EXPECT_TRUE(test::is_stopped([&] { graph.search(test::stopped()); }));
}

TEST(ValueDifference, ChannelsLastAndMoreImagesAreTheSame) {
  // [1, C = 2, H = 1, W = 3]
  const InnerValue parent{{1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(value_difference(parent, {{1, 1, 3, 2}, {1, 4, 2, 5, 3, 6}}), 0);
  EXPECT_EQ(value_difference(parent, {{2, 2, 1, 3}, {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0}}), 0);
  EXPECT_DOUBLE_EQ(value_difference(parent, {{1, 1, 3, 2}, {1, 4, 2, 5, 3, 3}}), 0.5);
  EXPECT_EQ(value_difference(parent, {{1, 2, 3, 1}, {1, 2, 3, 4, 5, 6}}),
            std::numeric_limits<double>::infinity())
      << "a turned map is another";
  EXPECT_EQ(value_difference(parent, {{1, 6}, {1, 2, 3, 4, 5, 6}}),
            std::numeric_limits<double>::infinity());
  InnerValue bad = parent;
  bad.values[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(value_difference(parent, bad), std::numeric_limits<double>::infinity());
}

}  // namespace yolov7::equivalence
