// ONNX files in the forms of the official program and of others: no metadata, other names (export
// 0). Made from ours: only the fields of the model that hold the graph and the operators are kept.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "core/protobuf.hpp"
#include "exporting/onnx.hpp"
#include "exporting/tflite_graph.hpp"
#include "runtime/openvino/model_file.hpp"
#include "tests/exporting/read_back.hpp"
#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

constexpr int height = 64, width = 96;

/// ModelProto: ir_version 1, graph 7, opset_import 8; without producer and metadata_props.
std::string without_metadata(const std::string& bytes) {
  const WireMessage whole(bytes);
  ProtobufMessage model;
  model.integer(1, static_cast<std::int64_t>(whole.integers.at(1).front()))
      .text(7, whole.bytes.at(7).front());
  for (const std::string& set : whole.bytes.at(8)) model.text(8, set);
  std::ostringstream out;
  model.write(out);
  return out.str();
}

/// Levels with strides 8, 16 and 32, three anchors each, as official networks have them.
network::NetworkAndWeights three_levels(int classes) {
  HandNetwork net;
  int value = noisy_conv(net, 0, 3, 4, 1, 3, 2);
  value = noisy_conv(net, value, 4, 4, 2, 3, 2);
  for (const int stride : {8, 16, 32}) {
    value = noisy_conv(net, value, 4, 4, static_cast<std::uint32_t>(stride), 3, 2);
    net.level(noisy_conv(net, value, 4, 3 * (5 + classes), static_cast<std::uint32_t>(stride + 1)),
              stride, classes, {{10, 20}, {20, 10}, {30, 30}});
  }
  return {net.network(), net.weights()};
}

struct Opened {
  runtime::ModelFile file;
  runtime::Prediction prediction;
  std::vector<double> rows;
};

class Official : public ::testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path written(const ExportOptions& options, int classes) {
    const auto net = three_levels(classes);
    write_onnx(export_model(net, height, width, options), options, folder / "own.onnx");
    return folder.write("official.onnx", without_metadata(test::read_text(folder / "own.onnx")));
  }
  Opened opened(const std::filesystem::path& path, int classes,
                const std::vector<std::string>& names = {}) {
    Opened all{runtime::open_model_file(path, {}, names), {}, {}};
    std::vector<std::uint8_t> bytes;
    std::vector<float> images;
    for (const float value : unit_noise(static_cast<std::size_t>(3 * height * width), 9)) {
      bytes.push_back(static_cast<std::uint8_t>(value * 255));
      images.push_back(static_cast<float>(bytes.back()) / 255);
    }
    all.file.detector->predict({bytes, 1, height, width}, all.prediction);
    all.rows = reference_outputs(three_levels(classes), images, 1, height, width).rows;
    return all;
  }
};

bool told(const runtime::ModelFacts& facts, const std::string& words) {
  for (const std::string& note : facts.notes)
    if (note.find(words) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_F(Official, DecodedRows) {
  ExportOptions options;
  options.grid = options.reference_parity = true;
  const Opened found = opened(written(options, 4), 4);
  EXPECT_EQ(found.file.facts.layout, "v5");
  EXPECT_EQ(found.file.facts.names,
            (std::vector<std::string>{"class0", "class1", "class2", "class3"}));
  EXPECT_TRUE(told(found.file.facts, "the file does not tell its layout"));
  EXPECT_TRUE(told(found.file.facts, "the file has no class names"));
  expect_close(found.prediction.decoded, found.rows, tolerance, "v5");
}

TEST_F(Official, NamesThatTheUserGives) {
  ExportOptions options;
  options.fold_obj = true;
  const std::vector<std::string> names{"a", "b", "c", "d"};
  const auto path = written(options, 4);
  EXPECT_EQ(opened(path, 4, names).file.facts.names, names);
  EXPECT_NE(test::error_of([&] {
              runtime::open_model_file(path, {}, {"a", "b"});
            }).find("expected 4 class names for its outputs, found 2"),
            std::string::npos);
}

// The outputs of end-to-end forms tell no number of classes: the rows inside the graph do.
TEST_F(Official, EndToEndWithoutNames) {
  ExportOptions options;
  options.end2end = true, options.max_wh = 640;
  const Opened found = opened(written(options, 4), 4);
  EXPECT_EQ(found.file.facts.layout, "end2end-ort");
  EXPECT_EQ(found.file.facts.names.size(), 4U);
  EXPECT_TRUE(told(found.file.facts, "as many as its inner shapes tell"));
  EXPECT_TRUE(found.prediction.suppressed);
}

TEST_F(Official, MapsWithoutAnchors) {
  const auto path = written({}, 4);
  EXPECT_NE(test::error_of([&] {
              runtime::open_model_file(path, {});
            }).find("expected anchors and strides of 3 levels in the metadata"),
            std::string::npos);
}

// With the file's own metadata nothing is assumed.
TEST_F(Official, OurOwnFileSaysItAll) {
  ExportOptions options;
  options.grid = true;
  written(options, 4);
  const runtime::ModelFile own = runtime::open_model_file(folder / "own.onnx", {});
  EXPECT_TRUE(own.facts.notes.empty());
  EXPECT_EQ(own.facts.names.front(), "name 0");
}

TEST_F(Official, SiblingsRunAtTheSameTime) {
  ExportOptions options;
  options.grid = true;
  written(options, 4);
  const runtime::ModelFile own =
      runtime::open_model_file(folder / "own.onnx", {.threads = 2, .streams = 2});
  const auto other = own.detector->sibling();
  ASSERT_NE(other, nullptr);
  std::vector<std::uint8_t> bytes;
  for (const float value : unit_noise(static_cast<std::size_t>(3 * height * width), 9))
    bytes.push_back(static_cast<std::uint8_t>(value * 255));
  runtime::Prediction first, second;
  std::thread at_once([&] { other->predict({bytes, 1, height, width}, second); });
  own.detector->predict({bytes, 1, height, width}, first);
  at_once.join();
  EXPECT_FALSE(first.decoded.empty());
  EXPECT_EQ(first.decoded, second.decoded);
}

// Its numbers mean something by a scale that the file alone knows.
TEST_F(Official, QuantizedInputsAreRefused) {
  TfliteGraph graph(false, false, nullptr);
  const int image = graph.input("images", TfliteType::uint8, {1, 4, 8, 3});
  const int reals =
      graph.node({.kind = ChannelsLastKind::from_bytes, .inputs = {image}, .shape = {1, 4, 8, 3}});
  graph.output("out", "output_0",
               graph.node({.kind = ChannelsLastKind::reshape,
                           .inputs = {reals, graph.integers({3}, {1, 16, 6})},
                           .shape = {1, 16, 6}}));
  {
    std::ofstream out(folder / "x.tflite", std::ios::binary);
    graph.file("").write(out);
  }
  const std::string what =
      test::error_of([&] { runtime::open_model_file(folder / "x.tflite", {}); });
  EXPECT_NE(what.find("expected an input of float32 or float16, found u"), std::string::npos)
      << what;
}
