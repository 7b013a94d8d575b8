// The written bytes, read by a few lines of the test's own. Field numbers: the public protos of
// TensorFlow.
#include "exporting/tensorflow.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "core/value.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

using Texts = std::vector<std::string>;

WireMessage frozen(const network::NetworkAndWeights& net, const ExportOptions& options) {
  const test::ScratchFolder folder;
  write_frozen_graph(export_model(net, 32, 40, options), options, folder / "x.pb");
  return WireMessage(test::read_text(folder / "x.pb"));
}

/// Attribute → AttrValue.
std::map<std::string, WireMessage> attributes(const WireMessage& node) {
  std::map<std::string, WireMessage> all;
  for (const WireMessage& pair : node.all(5)) all.emplace(pair.text(1), pair.one(2));
  return all;
}

/// "[2, -1]"
std::string sides(const WireMessage& shape) {
  std::string text = "[";
  for (const WireMessage& side : shape.all(2))
    text +=
        (text.size() == 1 ? "" : ", ") + std::to_string(static_cast<std::int64_t>(side.integer(1)));
  return text + "]";
}

WireMessage node_of(const WireMessage& graph, const std::string& operation) {
  for (const WireMessage& node : graph.all(1))
    if (node.text(2) == operation) return node;
  throw std::runtime_error("no node " + operation);
}

/// Packed.
std::vector<int> list(const WireMessage& attribute) {
  const std::string packed = attribute.one(1).text(3);
  return {packed.begin(), packed.end()};  // all below 128
}

}  // namespace

TEST(Tensorflow, FolderOfASavedModel) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.batch_size = 2;
  write_saved_model(export_model(every_primitive(3), 32, 40, options), options, folder / "x");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "x"))
    names.insert(std::filesystem::relative(entry.path(), folder / "x").string());
  EXPECT_EQ(names, (std::set<std::string>{"saved_model.pb", "variables", "metadata.yaml"}));
  const WireMessage file(test::read_text(folder / "x" / "saved_model.pb"));
  EXPECT_EQ(file.integer(1), 1U);
  const WireMessage meta = file.one(2);
  EXPECT_EQ(meta.one(1).texts(4), Texts{"serve"});
  const WireMessage entry = meta.one(5);
  EXPECT_EQ(entry.text(1), "serving_default");
  const WireMessage signature = entry.one(2);
  EXPECT_EQ(signature.text(3), "tensorflow/serving/predict");
  const WireMessage input = signature.one(1), output = signature.one(2);
  EXPECT_EQ(input.text(1), "images");
  EXPECT_EQ(input.one(2).text(1), "images:0");
  EXPECT_EQ(input.one(2).integer(2), 1U);
  EXPECT_EQ(sides(input.one(2).one(3)), "[2, 32, 40, 3]");
  EXPECT_EQ(output.text(1), "output_0");
  EXPECT_EQ(output.one(2).text(1), "Identity:0");
  // 32 × 40 px: 8 × 10 cells of 4 px and 4 × 5 of 8 px, two anchors each: 200 rows.
  EXPECT_EQ(sides(output.one(2).one(3)), "[2, 200, 8]");
}

TEST(Tensorflow, MetadataBesideASavedModel) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.fold_obj = true;
  auto model = export_model(every_primitive(3), 32, 40, options);
  model.names[1] = "it's: #1";
  write_saved_model(model, options, folder / "x");
  const Value yaml = read_yaml(folder / "x" / "metadata.yaml");
  EXPECT_EQ(yaml.at("layout").text(), "v8");
  EXPECT_EQ(yaml.at("stride").text(), "8");
  EXPECT_EQ(yaml.at("imgsz").text(), "[32, 40]");
  EXPECT_EQ(yaml.at("names").text(), R"({0: 'name 0', 1: 'it\'s: #1', 2: 'name 2'})");
}

TEST(Tensorflow, EveryNodeIsMadeBeforeItIsReadAndEveryConstantIsWhole) {
  const WireMessage graph = frozen(every_primitive(3), {});
  EXPECT_EQ(graph.one(4).integer(1), 1882U);
  EXPECT_EQ(graph.one(4).integer(2), 12U);
  std::set<std::string> known, read{"Identity"};
  for (const WireMessage& node : graph.all(1)) {
    for (const std::string& input : node.texts(3)) {
      EXPECT_TRUE(known.contains(input)) << input;
      read.insert(input);
    }
    EXPECT_TRUE(known.insert(node.text(1)).second) << node.text(1);
    if (node.text(2) != "Const") continue;
    const WireMessage tensor = attributes(node).at("value").one(8);
    EXPECT_EQ(tensor.integer(1), attributes(node).at("dtype").integer(6));
    std::uint64_t elements = 1;
    for (const WireMessage& side : tensor.one(2).all(2)) elements *= side.integer(1);
    EXPECT_EQ(tensor.text(4).size(), elements * 4) << node.text(1);
  }
  EXPECT_EQ(read, known) << "something is made and not read";
  const WireMessage input = node_of(graph, "Placeholder");
  EXPECT_EQ(input.text(1), "x");
  EXPECT_EQ(sides(attributes(input).at("shape").one(7)), "[1, 32, 40, 3]");
  EXPECT_EQ(graph.all(1).back().text(1), "Identity");
}

TEST(Tensorflow, StridedConvolutionsArePaddedInFront) {
  HandNetwork net;
  net.level(noisy_conv(net, noisy_conv(net, 0, 3, 6, 1, 3, 2), 6, 6, 2, 3, 1, 6), 2, 1);
  const WireMessage graph = frozen(named("", net).model, {});
  const auto strided = attributes(node_of(graph, "Conv2D")),
             depthwise = attributes(node_of(graph, "DepthwiseConv2dNative"));
  EXPECT_EQ(strided.at("padding").text(2), "VALID");
  EXPECT_EQ(strided.at("data_format").text(2), "NHWC");
  EXPECT_EQ(list(strided.at("strides")), (std::vector<int>{1, 2, 2, 1}));
  EXPECT_EQ(depthwise.at("padding").text(2), "SAME");
  EXPECT_EQ(list(depthwise.at("strides")), (std::vector<int>{1, 1, 1, 1}));
  const std::string padding = node_of(graph, "Pad").texts(3).at(1);
  const std::string filter = node_of(graph, "DepthwiseConv2dNative").texts(3).at(1);
  for (const WireMessage& node : graph.all(1)) {
    if (node.text(1) == padding) {
      const std::string bytes = attributes(node).at("value").one(8).text(4);
      std::vector<std::int32_t> numbers(8);
      ASSERT_EQ(bytes.size(), 32U);
      std::memcpy(numbers.data(), bytes.data(), 32);
      EXPECT_EQ(numbers, (std::vector<std::int32_t>{0, 0, 1, 1, 1, 1, 0, 0}));
    }
    if (node.text(1) == filter) {
      EXPECT_EQ(sides(attributes(node).at("value").one(8).one(2)), "[3, 3, 6, 1]");
    }
  }
}

TEST(Tensorflow, AnOpenBatchAndAnExactRepeat) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.dynamic_batch = true;
  const auto model = export_model(every_primitive(3), 32, 40, options);
  for (const char* name : {"a", "b"}) {
    write_saved_model(model, options, folder / name);
    write_frozen_graph(model, options, folder / (std::string(name) + ".pb"));
  }
  EXPECT_EQ(folder.read("a.pb"), folder.read("b.pb"));
  EXPECT_EQ(folder.read("a/saved_model.pb"), folder.read("b/saved_model.pb"));
  EXPECT_EQ(folder.read("a/metadata.yaml"), folder.read("b/metadata.yaml"));
  const WireMessage graph(folder.read("a.pb"));
  EXPECT_EQ(sides(attributes(node_of(graph, "Placeholder")).at("shape").one(7)), "[-1, 32, 40, 3]");
}

TEST(Tensorflow, MoreThanTwoGigabytesAreRefusedAndNothingIsWritten) {
  const test::ScratchFolder folder;
  const auto model = export_model(beyond_two_gigabytes(), 8, 8, {});
  EXPECT_EQ(test::error_of([&] { write_frozen_graph(model, {}, folder / "x.pb"); }),
            "pb: expected at most 2 GB, which is the format's limit, found 2.3");
  EXPECT_EQ(test::error_of([&] { write_saved_model(model, {}, folder / "x"); }),
            "saved_model: expected at most 2 GB, which is the format's limit, found 2.3");
  EXPECT_EQ(folder.files(), 0U);
}
