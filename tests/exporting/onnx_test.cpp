// The written bytes, read by a few lines of the test's own: names, shapes, order, byte counts.
#include "exporting/onnx.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/exporting/networks.hpp"
#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

struct Tensor {
  std::vector<std::uint64_t> dims;
  std::uint64_t type = 0;
  std::string raw;
};

/// Field numbers: the public onnx.proto.
struct File {
  explicit File(const std::string& content) : model(content), graph(model.one(7)) {
    for (const WireMessage& one : graph.all(5))
      tensors[one.text(8)] = {one.all_integers(1), one.integer(2), one.text(9)};
  }
  std::map<std::string, std::string> metadata() const {
    std::map<std::string, std::string> pairs;
    for (const WireMessage& one : model.all(14)) pairs[one.text(1)] = one.text(2);
    return pairs;
  }
  std::vector<std::string> operations() const {
    std::vector<std::string> names;
    for (const WireMessage& node : graph.all(1)) names.push_back(node.text(4));
    return names;
  }
  WireMessage node(const std::string& operation) const {
    for (const WireMessage& one : graph.all(1))
      if (one.text(4) == operation) return one;
    throw std::runtime_error("no node " + operation);
  }
  WireMessage model, graph;
  std::map<std::string, Tensor> tensors;
};

/// "images: 1[1, 3, batch, …]"
std::string signature(const WireMessage& value) {
  const WireMessage tensor = value.one(2).one(1);
  std::string text = value.text(1) + ": " + std::to_string(tensor.integer(1)) + "[";
  for (const WireMessage& side : tensor.one(2).all(1))
    text += (text.back() == '[' ? "" : ", ") +
            (side.integers.contains(1) ? std::to_string(side.integer(1)) : side.text(2));
  return text + "]";
}

File written(const network::NetworkAndWeights& net, const ExportOptions& options, int height = 32,
             int width = 40) {
  const test::ScratchFolder folder;
  write_onnx(export_model(net, height, width, options), options, folder / "x.onnx");
  return File(test::read_text(folder / "x.onnx"));
}

}  // namespace

TEST(Onnx, HeaderAndMetadata) {
  ExportOptions options;
  options.opset = 14;
  const File file = written(every_primitive(3), options);
  EXPECT_EQ(file.model.integer(1), 7U);
  EXPECT_EQ(file.model.text(2), "yolov7.cpp");
  EXPECT_EQ(file.model.one(8).integer(2), 14U);
  const auto metadata = file.metadata();
  EXPECT_EQ(metadata.at("stride"), "8");
  EXPECT_EQ(metadata.at("strides"), "4,8");
  EXPECT_EQ(metadata.at("anchors"), "10,13,16,9;24,30,33,18");
  EXPECT_EQ(metadata.at("names"), "{0: 'name 0', 1: 'name 1', 2: 'name 2'}");
  EXPECT_EQ(metadata.at("imgsz"), "[32, 40]");
  EXPECT_EQ(metadata.at("layout"), "raw");
  EXPECT_EQ(metadata.at("date"), "2026-01-02T03:04:05");
  options.opset = 15;
  EXPECT_EQ(written(every_primitive(3), options).model.integer(1), 8U);
}

TEST(Onnx, EveryValueIsMadeBeforeItIsReadAndEveryTensorIsWhole) {
  for (int opset = 12; opset <= 18; ++opset)
    for (const bool dynamic : {false, true}) {
      ExportOptions options;
      options.opset = opset, options.dynamic = dynamic, options.nms = true;
      const File file = written(every_primitive(3), options);
      std::set<std::string> known{"", "images"}, read;
      for (const auto& [name, tensor] : file.tensors) {
        EXPECT_TRUE(known.insert(name).second) << name;
        std::uint64_t elements = 1;
        for (const std::uint64_t side : tensor.dims) elements *= side;
        EXPECT_EQ(tensor.raw.size(), elements * (tensor.type == 7 ? 8 : 4)) << name;
      }
      std::set<std::string> names;
      for (const WireMessage& node : file.graph.all(1)) {
        EXPECT_TRUE(names.insert(node.text(3)).second) << "two nodes " << node.text(3);
        for (const std::string& input : node.texts(1)) {
          EXPECT_TRUE(known.contains(input)) << input;
          read.insert(input);
        }
        for (const std::string& output : node.texts(2)) EXPECT_TRUE(known.insert(output).second);
      }
      for (const WireMessage& output : file.graph.all(12)) read.insert(output.text(1));
      known.erase("");
      read.erase("");
      EXPECT_EQ(read, known) << "something is made and not read, opset " << opset;
    }
}

TEST(Onnx, InputsAndOutputsOfEachForm) {
  const auto net = every_primitive(3);
  const auto outputs = [&](const ExportOptions& options) {
    std::vector<std::string> all;
    const File file = written(net, options);
    for (const WireMessage& one : file.graph.all(11)) all.push_back(signature(one));
    for (const WireMessage& one : file.graph.all(12)) all.push_back(signature(one));
    return all;
  };
  using Texts = std::vector<std::string>;
  ExportOptions options;
  options.batch_size = 2;
  // 32 × 40 px: 8 × 10 cells of 4 px and 4 × 5 of 8 px, two anchors each: 200 rows.
  EXPECT_EQ(outputs(options), (Texts{"images: 1[2, 3, 32, 40]", "output0: 1[2, 2, 8, 10, 8]",
                                     "output1: 1[2, 2, 4, 5, 8]"}));
  options.reference_parity = true;
  EXPECT_EQ(outputs(options)[1], "output: 1[2, 2, 8, 10, 8]");
  EXPECT_EQ(outputs(options)[2], "output1: 1[2, 2, 4, 5, 8]");
  options.reference_parity = false;
  options.grid = true;
  EXPECT_EQ(outputs(options), (Texts{"images: 1[2, 3, 32, 40]", "output0: 1[2, 200, 8]"}));
  options.dynamic_batch = true;
  EXPECT_EQ(outputs(options), (Texts{"images: 1[batch, 3, 32, 40]", "output0: 1[batch, 200, 8]"}));
  options.dynamic = true;
  EXPECT_EQ(outputs(options),
            (Texts{"images: 1[batch, 3, height, width]", "output0: 1[batch, anchors, 8]"}));
  options.fold_obj = true;
  EXPECT_EQ(outputs(options)[1], "output0: 1[batch, 7, anchors]");
  options = {};
  options.half = options.half_io = options.grid = true;
  EXPECT_EQ(outputs(options), (Texts{"images: 10[1, 3, 32, 40]", "output0: 10[1, 200, 8]"}));
  options.half_io = false;
  EXPECT_EQ(outputs(options), (Texts{"images: 1[1, 3, 32, 40]", "output0: 1[1, 200, 8]"}));
  options = {};
  options.end2end = true, options.max_wh = 640;
  EXPECT_EQ(outputs(options), (Texts{"images: 1[1, 3, 32, 40]", "output0: 1[detections, 7]"}));
}

// What TensorRT's plugin and those who parse its outputs by place expect (export 2).
TEST(Onnx, TheOperationOfTensorRt) {
  ExportOptions options;
  options.end2end = true, options.topk_all = 50, options.conf_thres = 0.3, options.iou_thres = 0.6;
  const File file = written(every_primitive(3), options);
  ASSERT_EQ(file.model.all(8).size(), 2U);
  EXPECT_EQ(file.model.all(8)[1].text(1), "TRT");
  std::vector<std::string> outputs;
  for (const WireMessage& one : file.graph.all(12)) outputs.push_back(signature(one));
  EXPECT_EQ(outputs, (std::vector<std::string>{"num_dets: 6[1, 1]", "det_boxes: 1[1, 50, 4]",
                                               "det_scores: 1[1, 50]", "det_classes: 6[1, 50]"}));
  const WireMessage node = file.node("EfficientNMS_TRT");
  EXPECT_EQ(node.text(7), "TRT");
  EXPECT_EQ(node.texts(2),
            (std::vector<std::string>{"num_dets", "det_boxes", "det_scores", "det_classes"}));
  std::map<std::string, WireMessage> attributes;
  for (const WireMessage& one : node.all(5)) attributes.emplace(one.text(1), one);
  const auto integer = [&](const char* name) {
    EXPECT_EQ(attributes.at(name).integer(20), 2U) << "a plain integer: " << name;
    return static_cast<std::int64_t>(attributes.at(name).integer(3));
  };
  EXPECT_EQ(integer("background_class"), -1);
  EXPECT_EQ(integer("box_coding"), 1);
  EXPECT_EQ(integer("max_output_boxes"), 50);
  EXPECT_EQ(integer("score_activation"), 0);
  EXPECT_EQ(integer("class_agnostic"), 0);
  EXPECT_EQ(attributes.at("plugin_version").text(4), "1");
  EXPECT_EQ(attributes.at("score_threshold").reals.at(2).at(0), 0.3F);
  EXPECT_EQ(attributes.at("iou_threshold").reals.at(2).at(0), 0.6F);
}

TEST(Onnx, ResizeHasARegionWhereTheOperatorSetAsksForIt) {
  ExportOptions options;
  options.opset = 12;
  const File old = written(every_primitive(3), options);
  const std::string region = old.node("Resize").texts(1).at(1);
  ASSERT_FALSE(region.empty());
  EXPECT_EQ(old.tensors.at(region).dims, std::vector<std::uint64_t>{0});
  options.opset = 13;
  EXPECT_EQ(written(every_primitive(3), options).node("Resize").texts(1).at(1), "");
}

TEST(Onnx, WeightsAreTheNetworksOwn) {
  const auto net = every_primitive(3);
  const File file = written(net, {});
  for (const auto& [name, tensor] : net.weights.entries()) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes.data()),
                                 tensor.bytes.size());
    EXPECT_EQ(file.tensors.at(name).raw, bytes) << name;
  }
  ExportOptions half;
  half.half = true;
  for (const auto& [name, tensor] : written(net, half).tensors)
    if (name.starts_with("model.")) {
      EXPECT_EQ(tensor.type, 10U) << name;
    }
}

TEST(Onnx, TwoRunsGiveEqualBytes) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.grid = options.dynamic = true;
  for (const char* name : {"a.onnx", "b.onnx"})
    write_onnx(export_model(every_primitive(3), 32, 32, options), options, folder / name);
  EXPECT_EQ(test::read_text(folder / "a.onnx"), test::read_text(folder / "b.onnx"));
}

TEST(Onnx, WhatFloat16CannotHoldIsRefusedByName) {
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(18, 1), {1, 2, 3, 4, 5, 1e5F}), 1, 1);
  ExportOptions options;
  options.half = true;
  const test::ScratchFolder folder;
  const auto model = export_model({net.network(), net.weights()}, 8, 8, options);
  EXPECT_EQ(test::error_of([&] { write_onnx(model, options, folder / "x.onnx"); }),
            "--half: model.0.conv.bias: expected values of at most 65504, found 100000");
}
