// Conversions of tensors, bit by bit; expected patterns come from IEEE 754 by hand.
#include "network/graph/weights.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "network/config/builder.hpp"
#include "network/graph/finite_weights.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

std::uint16_t bits(double value, DataType type) {
  const Tensor t = Tensor::from(std::vector<double>{value}, {1}).converted(type);
  std::uint16_t out = 0;
  EXPECT_EQ(t.bytes.size(), 2u);
  std::memcpy(&out, t.bytes.data(), 2);
  return out;
}
std::uint16_t half(double value) { return bits(value, DataType::float16); }
std::uint16_t brain(double value) { return bits(value, DataType::bfloat16); }

TEST(Half, OrdinaryValues) {
  EXPECT_EQ(half(0.0), 0x0000);
  EXPECT_EQ(half(-0.0), 0x8000);
  EXPECT_EQ(half(1.0), 0x3C00);
  EXPECT_EQ(half(-2.0), 0xC000);
  EXPECT_EQ(half(65504.0), 0x7BFF);
  EXPECT_EQ(half(0x1p-14), 0x0400);
}

TEST(Half, TiesGoToEven) {
  EXPECT_EQ(half(1 + 0x1p-11), 0x3C00);  // between 1 and 1 + 2^-10
  EXPECT_EQ(half(1 + 3 * 0x1p-11), 0x3C02);
  EXPECT_EQ(half(2049.0), 0x6800);
  EXPECT_EQ(half(2051.0), 0x6802);
}

// Rounding to float first would make a tie of these and send it the wrong way.
TEST(Half, NothingIsRoundedTwice) {
  EXPECT_EQ(half(1 + 0x1p-11 + 0x1p-40), 0x3C01);
  EXPECT_EQ(half(1 + 3 * 0x1p-11 - 0x1p-40), 0x3C01);
  EXPECT_EQ(half(-(1 + 0x1p-11 + 0x1p-40)), 0xBC01);
  EXPECT_EQ(half(0x1p-25 + 0x1p-60), 0x0001);
  EXPECT_EQ(brain(1 + 0x1p-8 + 0x1p-40), 0x3F81);
  EXPECT_EQ(brain(1 + 3 * 0x1p-8 - 0x1p-40), 0x3F81);
}

TEST(Half, Subnormals) {
  EXPECT_EQ(half(0x1p-24), 0x0001);
  EXPECT_EQ(half(0x1p-25), 0x0000);  // tie to even: zero
  EXPECT_EQ(half(1.5 * 0x1p-24), 0x0002);
  EXPECT_EQ(half(2.5 * 0x1p-24), 0x0002);
  EXPECT_EQ(half(1023 * 0x1p-24), 0x03FF);
  EXPECT_EQ(half(1023.5 * 0x1p-24), 0x0400);  // up into the normal numbers
  EXPECT_EQ(half(-0x1p-24), 0x8001);
  EXPECT_EQ(half(1e-300), 0x0000);
}

TEST(Half, Overflow) {
  EXPECT_EQ(half(65519.0), 0x7BFF);
  EXPECT_EQ(half(65519.999999), 0x7BFF);
  EXPECT_EQ(half(65520.0), 0x7C00);
  EXPECT_EQ(half(1e300), 0x7C00);
  EXPECT_EQ(half(-1e300), 0xFC00);
  EXPECT_EQ(half(INFINITY), 0x7C00);
  EXPECT_EQ(half(NAN) & 0x7C00, 0x7C00);
  EXPECT_NE(half(NAN) & 0x03FF, 0);
}

TEST(Half, EveryPatternComesBack) {
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    for (const DataType type : {DataType::float16, DataType::bfloat16}) {
      const std::uint32_t exponent = type == DataType::float16 ? 0x7C00u : 0x7F80u,
                          fraction = type == DataType::float16 ? 0x03FFu : 0x007Fu;
      Tensor t;
      t.type = type;
      t.shape = {};
      const auto stored = static_cast<std::uint16_t>(pattern);
      t.bytes.resize(2);
      std::memcpy(t.bytes.data(), &stored, 2);
      const double value = t.to_doubles().at(0);
      if ((pattern & exponent) == exponent && (pattern & fraction) != 0) {
        ASSERT_TRUE(std::isnan(value)) << pattern;
        continue;
      }
      ASSERT_EQ(bits(value, type), stored) << pattern;
    }
  }
}

TEST(Brain, Rounding) {
  EXPECT_EQ(brain(1.0), 0x3F80);
  EXPECT_EQ(brain(1 + 0x1p-8), 0x3F80);  // tie to even
  EXPECT_EQ(brain(1 + 3 * 0x1p-8), 0x3F82);
  EXPECT_EQ(brain(-0.0), 0x8000);
  EXPECT_EQ(brain(0x1p-133), 0x0001);  // the smallest subnormal
  EXPECT_EQ(brain(0x1p-134), 0x0000);
  EXPECT_EQ(brain(std::numeric_limits<float>::max()), 0x7F80);  // above the largest, 0x7F7F
  EXPECT_EQ(brain(1e300), 0x7F80);
  EXPECT_EQ(brain(NAN) & 0x7FC0, 0x7FC0);
}

TEST(Tensors, ShapesAndTypes) {
  const Tensor t = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(t.elements(), 6);
  EXPECT_EQ(t.converted(DataType::float64).to_doubles(), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(t.converted(DataType::float16).to_floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  Tensor count;
  count.type = DataType::int64;
  count.bytes.resize(8);
  const std::int64_t seven = 7;
  std::memcpy(count.bytes.data(), &seven, 8);
  EXPECT_EQ(count.elements(), 1);  // 0-d
  EXPECT_EQ(count.converted(DataType::float16).type, DataType::int64);
  EXPECT_EQ(count.to_doubles(), std::vector<double>{7});
  Tensor cut = t;
  cut.bytes.resize(20);
  EXPECT_NE(error_of([&] { cut.to_doubles(); }).find("expected 24 bytes, found 20"),
            std::string::npos);
  EXPECT_NE(error_of([&] { cut.to_floats(); }).find("expected 24 bytes, found 20"),
            std::string::npos);
}

TEST(Tensors, WeightsThatDoNotFitAreNamed) {
  const Network n =
      build(small_config("  - [-1, 1, Conv, [8, 3, 1]]\n  - [-1, 1, Detect, [nc, anchors]]\n"),
            "small.yaml");
  Weights weights = numbered_weights(n);
  EXPECT_EQ(error_of([&] { check(n, weights); }), "no error");
  weights.set("model.0.conv.weight", Tensor::from(std::vector<float>(8 * 27), {8, 27}));
  const std::string said = error_of([&] { check(n, weights); });
  EXPECT_NE(
      said.find("1 of 10 tensors: model.0.conv.weight: expected shape [8, 3, 3, 3], found [8, 27]"),
      std::string::npos)
      << said;
  const std::string all = error_of([&] { check(n, Weights()); });
  EXPECT_NE(all.find("10 of 10 tensors"), std::string::npos) << all;
  EXPECT_NE(all.find("model.0.bn.running_var is missing; …"), std::string::npos)
      << all;  // the first five
  EXPECT_NE(error_of([&] { Weights().at("model.9.x"); }).find("'model.9.x'"), std::string::npos);
}

TEST(Tensors, ValuesThatAreNotFiniteAreCountedByTensor) {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  Weights weights;
  int number = 0;
  for (const DataType type :
       {DataType::float16, DataType::bfloat16, DataType::float32, DataType::float64}) {
    const Tensor bad =
        Tensor::from(std::vector<double>{1, nan, -infinite, 60000, infinite, 0}, {6});
    weights.set(std::to_string(number++) + ".weight", bad.converted(type));
  }
  weights.set("whole", Tensor::from(std::vector<double>{-1, 0, 65504, 1e-8}, {4}));
  Tensor counter;
  counter.type = DataType::int64;  // all bits set: a number here, NaN in a floating type
  counter.bytes.assign(8, std::byte{0xFF});
  weights.set("count", counter);
  const std::vector<NotFinite> found = not_finite(weights);
  ASSERT_EQ(found.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(found[i].tensor, std::to_string(i) + ".weight");
    EXPECT_EQ(found[i].values, 3u);
    EXPECT_EQ(found[i].of, 6u);
  }
  EXPECT_EQ(
      error_of([&] { check_finite(weights, "a.pt"); }),
      "a.pt: expected finite weights, found NaN or infinity in 4 of 6 tensors: 0.weight (3 of "
      "6 values), 1.weight (3 of 6 values), 2.weight (3 of 6 values), 3.weight (3 of 6 "
      "values)");
}

TEST(Tensors, AnInfiniteVarianceMakesAChannelConstantAndNothingElseIsSpared) {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  Weights weights;
  weights.set("a.bn.running_var", Tensor::from(std::vector<double>{infinite, 1}, {2}));
  EXPECT_EQ(finite_fault(weights), "");
  weights.set("b.bn.running_var", Tensor::from(std::vector<double>{nan, -infinite, 1}, {3}));
  weights.set("c.bn.running_mean", Tensor::from(std::vector<double>{infinite}, {1}));
  EXPECT_EQ(finite_fault(weights),
            "expected finite weights, found NaN or infinity in 2 of 3 tensors: b.bn.running_var (2 "
            "of 3 values), c.bn.running_mean (1 of 1 values)");
}

}  // namespace
}  // namespace yolov7::network
