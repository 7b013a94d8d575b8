// Files of 8-bit integers in each format, read back, against the same plan run in memory (which
// tests/runtime checks number by number).
#include <gtest/gtest.h>

#include <cmath>

#include "exporting/format_table.hpp"
#include "runtime/openvino/model_file.hpp"
#include "runtime/openvino/quantized_form.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;
using network::ActivationNumbers;

namespace {

constexpr int height = 16, width = 24, classes = 2;

struct Case {
  const char* format;
  const char* qdq;
  ActivationNumbers numbers;
  bool inner;
};
const Case cases[] = {{"onnx", "tensorrt", ActivationNumbers::symmetric, false},
                      {"onnx", "asymmetric", ActivationNumbers::asymmetric, false},
                      {"onnx", "ort", ActivationNumbers::asymmetric, true},
                      {"openvino", "asymmetric", ActivationNumbers::asymmetric, false},
                      {"openvino", "tensorrt", ActivationNumbers::symmetric, false},
                      {"tflite", "asymmetric", ActivationNumbers::asymmetric, true}};

/// The convolutions whose results are decoded.
std::set<std::string> heads(const network::Network& network) {
  std::set<std::string> names;
  for (const network::Operation& op : network.operations)
    if (const auto* conv = op.as<network::Convolution>();
        conv != nullptr && conv->out_channels == 2 * (5 + classes))
      names.insert(conv->tensor);
  return names;
}

/// Every value has the same scale, the image its own.
network::QuantizationScales some_scales(const network::Network& network) {
  network::QuantizationScales scales;
  scales.values.assign(static_cast<std::size_t>(network.value_count), {0.03F, 90, 0.05F});
  scales.values[0] = {1.0F / 255, 0, 1.0F / 127};
  const auto groups = network::scale_groups(network);
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (groups[i] == 0) scales.values[i] = scales.values[0];
  for (const network::Convolution* conv : network::quantizable_convolutions(network)) {
    const auto count = static_cast<std::size_t>(conv->out_channels);
    scales.corrections[conv->tensor] = {noise(count, 3, 0.1F), noise(count, 4, 0.1F)};
  }
  return scales;
}

std::vector<std::uint8_t> bytes() {
  std::vector<std::uint8_t> all;
  for (const float x : unit_noise(3 * height * width, 9))
    all.push_back(static_cast<std::uint8_t>(x * 255));
  return all;
}

std::vector<float> rows_of(runtime::Detector& detector) {
  const std::vector<std::uint8_t> pixels = bytes();
  runtime::Prediction found;
  detector.predict({pixels, 1, height, width}, found);
  return found.decoded;
}

double mean_gap(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum / static_cast<double>(a.size());
}

struct Gaps {
  double file, real;  ///< to the plan in memory: the file's, and the float32 network's
};

Gaps gaps_of(const Case& one, const network::NetworkAndWeights& net,
             std::uintmax_t* size = nullptr) {
  ExportOptions options;
  options.weights = "x.pt";
  options.grid = options.int8 = true;
  options.qdq = one.qdq;
  ExportModel model = export_model(net, height, width, options);
  model.quantization = std::make_shared<const network::Quantization>(
      network::make_quantization(net.network, some_scales(net.network), heads(net.network)));
  const test::ScratchFolder folder;
  const Format& written = format(one.format);
  const auto file = folder / (std::string("x") + (written.name == "onnx"     ? ".onnx"
                                                  : written.name == "tflite" ? ".tflite"
                                                                             : "_openvino_model"));
  written.write(model, options, file);
  if (size != nullptr && !std::filesystem::is_directory(file))
    *size = std::filesystem::file_size(file);
  const auto memory = rows_of(*runtime::make_quantized_detector(
      model.fused, {model.quantization, one.numbers, one.inner}, {.threads = 1}));
  const auto real =
      rows_of(*runtime::make_openvino_detector(model.fused, {.threads = 1, .as_stored = true}));
  const auto opened = runtime::open_model_file(file, {.threads = 1});
  return {mean_gap(rows_of(*opened.detector), memory), mean_gap(real, memory)};
}

}  // namespace

/// Concatenation, pooling, upsampling, reorganisation, padding, and no SiLU.
network::NetworkAndWeights without_silu() {
  using network::ActivationKind;
  HandNetwork net;
  int x = net.add(network::Reorg{}, {0});
  x = net.activation(ActivationKind::leaky_relu, noisy_conv(net, x, 12, 8, 1, 3), 0.1);
  x = net.activation(ActivationKind::leaky_relu, noisy_conv(net, x, 8, 8, 2, 3, 2), 0.1);
  const int y = net.activation(ActivationKind::relu, noisy_conv(net, x, 8, 8, 3, 3, 1, 8));
  const int pool = net.add(network::MaxPool{5, 1, 2}, {x});
  const int joined = net.add(network::Concat{}, {y, pool, x});
  const int half = net.add(network::MaxPool{2, 2, 0}, {joined});
  const int z = net.activation(ActivationKind::relu6, noisy_conv(net, half, 24, 8, 4));
  const int up = net.add(network::Concat{}, {net.add(network::Upsample{}, {z}), joined});
  net.level(noisy_conv(net, up, 32, 14, 5), 4, classes, {{10, 13}, {16, 9}});
  net.level(noisy_conv(net, z, 8, 14, 6), 8, classes, {{24, 30}, {33, 18}});
  return {net.network(), net.weights()};
}

// Rounding differs where a number lies halfway between two steps: a small part of what the
// quantization itself changes.
TEST(ReadBackIntegers, EveryFormatIsThePlan) {
  const network::NetworkAndWeights net = without_silu();
  for (const Case& one : cases) {
    const Gaps gaps = gaps_of(one, net);
    EXPECT_GT(gaps.real, 0.01) << one.format << " " << one.qdq;
    EXPECT_LT(gaps.file, 0.1 * gaps.real)
        << one.format << " " << one.qdq << ": " << gaps.file << " of " << gaps.real;
  }
}

/// A detector of inverted residuals.
network::NetworkAndWeights mobile() {
  HandNetwork net;
  const auto [fine, deep] = inverted_residuals(net, 300);
  net.level(noisy_conv(net, fine, 6, 14, 330), 2, classes, {{10, 13}, {16, 9}});
  net.level(noisy_conv(net, deep, 8, 14, 331), 4, classes, {{24, 30}, {33, 18}});
  return {net.network(), net.weights()};
}

// ReLU6 is a clip of integers, the depthwise convolutions and the one of the image have scales by
// channel, and one that a sum alone reads (the end of a block with a shortcut) gives float32.
TEST(ReadBackIntegers, InvertedResidualsAreThePlan) {
  const network::NetworkAndWeights net = mobile();
  for (const Case& one : cases) {
    const Gaps gaps = gaps_of(one, net);
    EXPECT_GT(gaps.real, 0.01) << one.format << " " << one.qdq;
    EXPECT_LT(gaps.file, 0.1 * gaps.real)
        << one.format << " " << one.qdq << ": " << gaps.file << " of " << gaps.real;
  }
}

// TensorFlow Lite's SiLU is a product of integers, the sigmoid in steps of 1/256: its own rounding
// is of the size of a step.
TEST(ReadBackIntegers, EveryPrimitiveBesideIntegers) {
  const network::NetworkAndWeights net = every_primitive(classes);
  for (const Case& one : cases) {
    const Gaps gaps = gaps_of(one, net);
    const double most = std::string(one.format) == "tflite" ? 0.6 : 0.1;
    EXPECT_LT(gaps.file, most * gaps.real)
        << one.format << " " << one.qdq << ": " << gaps.file << " of " << gaps.real;
  }
}

// A plan of the wrong form is seen by the comparison above.
TEST(ReadBackIntegers, AnotherFormIsAnotherNetwork) {
  const network::NetworkAndWeights net = every_primitive(classes);
  Case wrong = cases[0];
  wrong.numbers = ActivationNumbers::asymmetric;
  const Gaps gaps = gaps_of(wrong, net);
  EXPECT_GT(gaps.file, 0.2 * gaps.real);
}

TEST(ReadBackIntegers, WithoutScalesNothingIsWritten) {
  const network::NetworkAndWeights net = every_primitive(classes);
  ExportOptions options;
  options.weights = "x.pt";
  options.grid = options.int8 = true;
  const ExportModel model = export_model(net, height, width, options);
  const test::ScratchFolder folder;
  for (const char* name : {"onnx", "openvino", "tflite", "engine"})
    EXPECT_EQ(test::error_of([&] { format(name).write(model, options, folder / name); }),
              "--int8: expected the scales of a calibration, found none");
}
