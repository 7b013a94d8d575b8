#include "runtime/openvino/openvino_detector.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "core/error.hpp"
#include "core/random.hpp"
#include "runtime/detector.hpp"
#include "tests/runtime/hand_network.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using yolov7::testing::HandNetwork;

namespace {

/// Stride 8, two anchors, three classes; weights from a fixed stream.
HandNetwork small_network() {
  Random random(1, 0, 0, 0);
  const auto draw = [&](std::size_t n, double scale) {
    std::vector<float> out(n);
    for (float& v : out) v = static_cast<float>(random.uniform(-scale, scale));
    return out;
  };
  HandNetwork net;
  int x = 0, channels = 3;
  for (int i = 0; i < 3; ++i) {
    x = net.conv(x, channels, 16, draw(static_cast<std::size_t>(16 * channels * 9), 0.3),
                 draw(16, 0.1), 3, 2);
    x = net.activation(network::ActivationKind::silu, x);
    channels = 16;
  }
  net.level(net.conv(x, 16, 16, draw(256, 0.5), draw(16, 0.1)), 8, 3, {{10, 20}, {40, 30}});
  return net;
}

std::vector<std::uint8_t> pixels(int count, int height, int width) {
  Random random(2, 0, 0, 0);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(count) * 3 *
                                static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (auto& v : out) v = static_cast<std::uint8_t>(random.integer(0, 255));
  return out;
}

std::unique_ptr<Detector> make(const HandNetwork& net, DetectorOptions options = {}) {
  return make_openvino_detector(net.network(), net.weights(), options);
}

Prediction predict(Detector& detector, const std::vector<std::uint8_t>& input, int count,
                   int height, int width) {
  Prediction p;
  detector.predict({input, count, height, width}, p);
  return p;
}

}  // namespace

TEST(OpenvinoDetector, SaysWhatItIs) {
  const auto detector = make(small_network(), {.precision = "float32", .threads = 1});
  EXPECT_EQ(detector->description().rfind("OpenVINO 20", 0), 0u) << detector->description();
  EXPECT_NE(detector->description().find(", CPU, float32, 1 thread"), std::string::npos)
      << detector->description();
  EXPECT_EQ(detector->class_count(), 3);
  EXPECT_EQ(detector->stride(), 8);
  EXPECT_TRUE(openvino_available());
}

TEST(OpenvinoDetector, BytesAreDividedBy255) {
  const HandNetwork net = small_network();
  const auto bytes = pixels(1, 16, 24);
  std::vector<float> floats;
  for (const std::uint8_t v : bytes) floats.push_back(static_cast<float>(v) / 255.0f);
  const Prediction a = predict(*make(net), bytes, 1, 16, 24);
  const Prediction b = predict_openvino(net.network(), net.weights(), {}, floats, 1, 16, 24);
  ASSERT_EQ(a.decoded.size(), b.decoded.size());
  // The same sums with inputs that differ by an ulp (· 1/255 against / 255); boxes reach some 100
  // px.
  for (std::size_t i = 0; i < a.decoded.size(); ++i)
    EXPECT_NEAR(a.decoded[i], b.decoded[i], 1e-4) << i;
}

TEST(OpenvinoDetector, ABatchIsItsPictures) {
  const HandNetwork net = small_network();
  const auto detector = make(net, {.raw_maps = true});
  const auto input = pixels(3, 16, 16);
  const Prediction all = predict(*detector, input, 3, 16, 16);
  ASSERT_EQ(all.count, 3);
  ASSERT_EQ(all.rows, 2u * 2 * 2);
  ASSERT_EQ(all.raw.size(), 1u);
  ASSERT_EQ(all.raw[0].values.size(), 3u * 8 * 8);
  for (int i = 0; i < 3; ++i) {
    const std::vector<std::uint8_t> one(input.begin() + i * 3 * 256,
                                        input.begin() + (i + 1) * 3 * 256);
    const Prediction single = predict(*detector, one, 1, 16, 16);
    // Another blocking of the same float32 sums.
    for (std::size_t k = 0; k < single.decoded.size(); ++k)
      EXPECT_NEAR(all.picture(i)[k], single.decoded[k], 1e-4) << i << ' ' << k;
  }
}

TEST(OpenvinoDetector, ShapesComeAndGo) {
  const auto detector = make(small_network());
  std::vector<Prediction> first;
  const int sides[] = {8, 16, 24, 32, 40, 48};
  for (const int side : sides) first.push_back(predict(*detector, pixels(1, side, 8), 1, side, 8));
  // Six shapes for four places: the first ones are compiled a second time and give the same.
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(predict(*detector, pixels(1, sides[i], 8), 1, sides[i], 8).decoded, first[i].decoded)
        << sides[i];
}

TEST(OpenvinoDetector, ReusesTheCallersMemory) {
  const auto detector = make(small_network());
  Prediction p;
  const auto large = pixels(1, 32, 32), small = pixels(1, 8, 8);
  detector->predict({large, 1, 32, 32}, p);
  const auto before = p.decoded;
  detector->predict({small, 1, 8, 8}, p);
  EXPECT_EQ(p.decoded.size(), 2u * 8);
  detector->predict({large, 1, 32, 32}, p);
  EXPECT_EQ(p.decoded, before);
}

TEST(OpenvinoDetector, RefusesWrongInput) {
  const auto detector = make(small_network());
  EXPECT_THROW(predict(*detector, pixels(1, 12, 16), 1, 12, 16), Error);  // no multiple of 8
  EXPECT_THROW(predict(*detector, pixels(1, 16, 16), 2, 16, 16), Error);  // half the pixels
  EXPECT_THROW(predict(*detector, {}, 0, 16, 16), Error);
  EXPECT_THROW(predict(*detector, {}, 1, -16, 16), Error);
  EXPECT_THROW(make(small_network(), {.precision = "float16"}), Error);
}

TEST(OpenvinoDetector, Bfloat16OnRequestWithBoxesDecodedInFloat32) {
  // All logits 0.3 at 640 px width: σ = 0.574443, so the last centre is (2·0.574443 − 0.5 + 79)·8 =
  // 637.19. bfloat16 has 8 bits: between 512 and 1024 it steps by 4 px. Rounding of the logit alone
  // (2^-9 relative) moves the centre by 0.01 px.
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(6 * 3 * 64, 0), std::vector<float>(6, 0.3f), 8, 8),
            8, 1);
  network::Network network = net.network();
  auto& conv = std::get<network::Convolution>(network.operations[0].primitive);
  conv.pad_h = conv.pad_w = 0;
  std::unique_ptr<Detector> detector;
  try {
    detector = make_openvino_detector(network, net.weights(), {.precision = "bfloat16"});
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_NE(detector->description().find("bfloat16"), std::string::npos);
  const Prediction p = predict(*detector, pixels(1, 8, 640), 1, 8, 640);
  const double sigma = 1 / (1 + std::exp(-0.3));
  EXPECT_NEAR(p.picture(0)[79 * 6], (2 * sigma - 0.5 + 79) * 8, 0.05);
}

TEST(OpenvinoDetector, Float32IsFloat32) {
  // A weight of 1 + 2^-12 is 1 in bfloat16: with the back end's silent default the raw value would
  // be 16 exactly.
  HandNetwork net;
  net.level(net.conv(0, 3, 6,
                     [] {
                       std::vector<float> w(6 * 3, 0);
                       for (std::size_t o = 0; o < 6; ++o) w[3 * o] = 1 + 1.0f / 4096;
                       return w;
                     }(),
                     {}),
            1, 1);
  const Prediction p = predict_openvino(net.network(), net.weights(), {.raw_maps = true},
                                        std::vector<float>(3 * 64, 16), 1, 8, 8);
  EXPECT_FLOAT_EQ(p.raw.at(0).values.at(0), 16 * (1 + 1.0f / 4096));
}

TEST(OpenvinoDetector, LoadsNoLibTorch) {
  const auto detector = make(small_network());
  predict(*detector, pixels(1, 8, 8), 1, 8, 8);
  std::ifstream maps("/proc/self/maps");
  bool openvino = false;
  for (std::string line; std::getline(maps, line);) {
    openvino = openvino || line.find("libopenvino_intel_cpu_plugin") != std::string::npos;
    for (const char* name : {"libtorch", "libc10", "libyolov7-training"})
      EXPECT_EQ(line.find(name), std::string::npos) << line;
  }
  EXPECT_TRUE(openvino) << "the list of mapped files shows what was loaded";
}
