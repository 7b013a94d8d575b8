// The written bytes, read by a few lines of the test's own. Numbers of fields, operators and
// options: the published schema (tensorflow.org/lite).
#include "exporting/tflite.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/archive.hpp"
#include "exporting/tflite_graph.hpp"
#include "tests/exporting/flat_reader.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

std::string written(const network::NetworkAndWeights& net, const ExportOptions& options,
                    int height = 32, int width = 40) {
  const test::ScratchFolder folder;
  write_tflite(export_model(net, height, width, options), options, folder / "x.tflite");
  return test::read_text(folder / "x.tflite");
}

using Sides = std::vector<std::int32_t>;

/// "images: 0[1, 32, 40, 3]": name, type, shape.
std::string described(const FlatView& tensor) {
  std::string text = tensor.text(3) + ": " + std::to_string(tensor.scalar<std::int8_t>(1)) + "[";
  for (const std::int32_t side : tensor.values<std::int32_t>(tensor.has(7) ? 7 : 0))
    text += (text.back() == '[' ? "" : ", ") + std::to_string(side);
  return text + "]";
}

struct File {
  explicit File(std::string bytes)
      : content(std::move(bytes)), model(FlatView::root(content)), graph(model.tables(2).at(0)) {}
  std::vector<std::string> ends() const {
    std::vector<std::string> all;
    const auto tensors = graph.tables(0);
    for (const int field : {1, 2})
      for (const std::int32_t one : graph.values<std::int32_t>(field))
        all.push_back(described(tensors.at(static_cast<std::size_t>(one))));
    return all;
  }
  /// Operator → version; a repeated one would be lost, so its number is checked.
  std::map<int, int> versions() const {
    std::map<int, int> all;
    for (const FlatView& code : model.tables(1)) {
      EXPECT_EQ(code.scalar<std::int8_t>(0), std::min(code.scalar<std::int32_t>(3), 127));
      all[code.scalar<std::int32_t>(3)] = code.scalar<std::int32_t>(2);
    }
    EXPECT_EQ(all.size(), model.tables(1).size());
    return all;
  }
  std::string content;
  FlatView model, graph;
};

}  // namespace

TEST(Tflite, HeaderSignatureAndEnds) {
  ExportOptions options;
  options.batch_size = 2;
  const File file(written(every_primitive(3), options));
  EXPECT_EQ(file.content.substr(4, 4), "TFL3");
  EXPECT_EQ(file.model.scalar<std::uint32_t>(0), 3U);
  EXPECT_EQ(file.model.text(3), "hand-made");
  // 32 × 40 px: 8 × 10 cells of 4 px and 4 × 5 of 8 px, two anchors each: 200 rows.
  using Texts = std::vector<std::string>;
  EXPECT_EQ(file.ends(), (Texts{"images: 0[2, 32, 40, 3]", "output0: 0[2, 200, 8]"}));
  const FlatView signature = file.model.tables(7).at(0);
  EXPECT_EQ(signature.text(2), "serving_default");
  for (const int which : {0, 1}) {
    const FlatView map = signature.tables(which).at(0);
    EXPECT_EQ(map.text(0), which == 0 ? "images" : "output_0");
    EXPECT_EQ(map.scalar<std::uint32_t>(1),
              static_cast<std::uint32_t>(file.graph.values<std::int32_t>(1 + which).at(0)));
  }
  options.dynamic_batch = true;
  EXPECT_EQ(File(written(every_primitive(3), options)).ends(),
            (Texts{"images: 0[-1, 32, 40, 3]", "output0: 0[-1, 200, 8]"}));
  options = {};
  options.fold_obj = true;
  EXPECT_EQ(File(written(every_primitive(3), options)).ends()[1], "output0: 0[1, 7, 200]");
  options = {};
  options.half = true;
  EXPECT_EQ(File(written(every_primitive(3), options)).ends(),
            (Texts{"images: 0[1, 32, 40, 3]", "output0: 0[1, 200, 8]"}));
}

TEST(Tflite, EveryValueIsMadeBeforeItIsReadAndEveryBufferIsWhole) {
  for (const bool half : {false, true}) {
    ExportOptions options;
    options.half = half;
    const File file(written(every_primitive(3), options));
    const auto tensors = file.graph.tables(0), buffers = file.model.tables(4);
    EXPECT_FALSE(buffers.at(0).has(0)) << "the first is empty by definition";
    std::set<std::int32_t> known, read, made;
    std::set<std::string> names;
    const std::map<int, std::size_t> widths{{0, 4}, {1, 2}, {2, 4}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_TRUE(names.insert(tensors[i].text(3)).second) << tensors[i].text(3);
      const auto number = tensors[i].scalar<std::uint32_t>(2);
      if (number == 0) continue;
      std::size_t bytes = widths.at(tensors[i].scalar<std::int8_t>(1));
      for (const std::int32_t side : tensors[i].values<std::int32_t>(0))
        bytes *= static_cast<std::size_t>(side);
      EXPECT_EQ(buffers.at(number).values<char>(0).size(), bytes) << tensors[i].text(3);
      EXPECT_EQ(buffers.at(number).begin(0) % 16, 0U);
      known.insert(static_cast<std::int32_t>(i));
    }
    EXPECT_EQ(known.size() + 1, buffers.size());
    known.insert(file.graph.values<std::int32_t>(1).at(0));
    for (const FlatView& operation : file.graph.tables(3)) {
      for (const std::int32_t input : operation.values<std::int32_t>(1)) {
        EXPECT_TRUE(known.contains(input)) << tensors.at(static_cast<std::size_t>(input)).text(3);
        read.insert(input);
      }
      for (const std::int32_t output : operation.values<std::int32_t>(2))
        EXPECT_TRUE(known.insert(output).second);
    }
    read.insert(file.graph.values<std::int32_t>(2).at(0));
    EXPECT_EQ(read, known) << "something is made and not read";
    EXPECT_EQ(known.size(), tensors.size());
  }
}

// ADD 0, CONCATENATION 2, CONV_2D 3 (grouped: 6), LOGISTIC 14, MAX_POOL_2D 17, MUL 18, RELU 19,
// RELU6 21, RESHAPE 22, PAD 34, TRANSPOSE 39, MEAN 40, STRIDED_SLICE 45, REDUCE_MAX 82,
// RESIZE_NEAREST_NEIGHBOR 97, LEAKY_RELU 98; DEQUANTIZE 6, of float16 from version 3 on.
TEST(Tflite, OperatorsAndVersions) {
  HandNetwork net;
  const int leaky =
      net.activation(network::ActivationKind::leaky_relu, noisy_conv(net, 0, 3, 6, 1, 3, 2), 0.25);
  net.level(leaky, 2, 1);
  ExportOptions options;
  using Versions = std::map<int, int>;
  const Versions expected{{0, 1}, {3, 1}, {14, 1}, {18, 1}, {22, 1}, {34, 1}, {39, 1}, {98, 1}};
  const File file(written(named("", net).model, options));
  EXPECT_EQ(file.versions(), expected);
  for (const FlatView& one : file.graph.tables(3)) {
    const auto code = file.model.tables(1).at(one.scalar<std::uint32_t>(0)).scalar<std::int32_t>(3);
    if (code == 98) {
      EXPECT_EQ(one.scalar<std::uint8_t>(3), 75);
      EXPECT_EQ(one.table(4).scalar<float>(0), 0.25F);
    }
    if (code != 3) continue;
    EXPECT_EQ(one.scalar<std::uint8_t>(3), 1);
    EXPECT_EQ(one.table(4).scalar<std::int8_t>(0), 1) << "VALID behind PAD";
    for (const int field : {1, 2}) EXPECT_EQ(one.table(4).scalar<std::int32_t>(field), 2);
    const auto filter = static_cast<std::size_t>(one.values<std::int32_t>(1).at(1));
    EXPECT_EQ(described(file.graph.tables(0).at(filter)), "model.0.conv.weight: 0[6, 3, 3, 3]");
  }
  options.half = true;
  Versions half = expected;
  half[6] = 3;
  EXPECT_EQ(File(written(named("", net).model, options)).versions(), half);
  HandNetwork grouped;
  grouped.level(noisy_conv(grouped, 0, 3, 6, 1, 3, 1, 3), 1, 1);
  EXPECT_TRUE(File(written(named("", grouped).model, {})).versions().contains(4));
}

TEST(Tflite, FiltersAreChannelsLast) {
  // Out 2, in 3, 1 × 2: the number of a weight is its place in [out, in, h, w].
  std::vector<float> weights(12);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i);
  const auto tensor = network::Tensor::from(weights, {2, 3, 1, 2});
  EXPECT_EQ(permuted(tensor, {2, 3, 1, 2}, {0, 2, 3, 1}),
            (std::vector<float>{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}));
  EXPECT_EQ(permuted(tensor, {2, 3, 1, 2}, {2, 3, 1, 0}),
            (std::vector<float>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}));
}

TEST(Tflite, MetadataBehindTheContent) {
  const test::ScratchFolder folder;
  ExportOptions options;
  const auto model = export_model(every_primitive(3), 32, 40, options);
  write_tflite(model, options, folder / "x.tflite");
  const auto bytes = network::ArchiveReader(folder / "x.tflite").read("metadata.json", 10000);
  const auto json =
      nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                            reinterpret_cast<const char*>(bytes.data()) + bytes.size());
  EXPECT_EQ(json.at("layout"), "tf");
  EXPECT_EQ(json.at("stride"), "8");
  EXPECT_EQ(json.at("imgsz"), "[32, 40]");
  EXPECT_EQ(json.at("names"), "{0: 'name 0', 1: 'name 1', 2: 'name 2'}");
  EXPECT_EQ(json.at("date"), "2026-01-02T03:04:05");
}

TEST(Tflite, ARepeatGivesEqualBytesAndFloat16HalvesTheWeights) {
  ExportOptions options;
  const std::string first = written(every_primitive(3), options);
  EXPECT_EQ(first, written(every_primitive(3), options));
  HandNetwork net;
  net.level(noisy_conv(net, 0, 3, 6, 1, 101), 1, 1);
  const std::size_t weights = 6 * 3 * 101 * 101, whole = written(named("", net).model, {}).size();
  options.half = true;
  const std::size_t half = written(named("", net).model, options).size();
  // Two operations and two tensors more take less than a thousand bytes.
  EXPECT_NEAR(static_cast<double>(whole - half), 2.0 * weights, 1000);
}

TEST(Tflite, WhatFloat16CannotHoldIsNamed) {
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(18, 70000), std::vector<float>(6, 0)), 1, 1);
  ExportOptions options;
  options.half = true;
  EXPECT_EQ(test::error_of([&] { written(named("", net).model, options); }),
            "--half: model.0.conv.weight: expected values of at most 65504, found 70000");
}

TEST(Tflite, SuppressionIsLeftToTheReader) {
  ExportOptions options;
  options.nms = true;
  EXPECT_EQ(File(written(every_primitive(3), options)).ends()[1], "output0: 0[1, 200, 8]");
}

TEST(Tflite, QuantizationOfATensorIsWritten) {
  TfliteGraph graph(false, false, nullptr);
  const int image = graph.input("images", TfliteType::int8, {1, 2, 2, 3});
  graph.tensor(image).quantization = {{0.5F, 0.25F, 2}, {0, -3, 4}, 3};
  graph.output(
      "out", "output_0",
      graph.node({.kind = ChannelsLastKind::relu, .inputs = {image}, .shape = {1, 2, 2, 3}}));
  std::ostringstream out;
  graph.file("").write(out);
  const std::string content = out.str();
  const auto tensors = FlatView::root(content).tables(2).at(0).tables(0);
  const FlatView numbers = tensors.at(0).table(4);
  EXPECT_EQ(numbers.values<float>(2), (std::vector<float>{0.5F, 0.25F, 2}));
  EXPECT_EQ(numbers.values<std::int64_t>(3), (std::vector<std::int64_t>{0, -3, 4}));
  EXPECT_EQ(numbers.scalar<std::int32_t>(6), 3);
  EXPECT_FALSE(tensors.at(1).has(4));
}

TEST(Tflite, MoreThanTwoGigabytesAreRefusedAndNothingIsWritten) {
  const test::ScratchFolder folder;
  const auto model = export_model(beyond_two_gigabytes(), 8, 8, {});
  EXPECT_EQ(test::error_of([&] { write_tflite(model, {}, folder / "x.tflite"); }),
            "tflite: expected at most 2 GB, which is the format's limit, found 2.3");
  EXPECT_EQ(folder.files(), 0U);
}
