#include "exporting/serving.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exporting/serving_tensors.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;
using nlohmann::json;

namespace {

using Sides = std::vector<std::int64_t>;

/// Protobuf's text format as a tree: messages are objects, every value a text or a list of them.
/// Shares nothing with the writer; tests/exporting/triton_peer.py reads it by the real schema.
class PbtxtReader {
 public:
  explicit PbtxtReader(std::string text) : text_(std::move(text)) {}
  json read() { return message('\0'); }

 private:
  json message(char end) {
    json fields = json::object();
    for (;;) {
      blank();
      if (at_ >= text_.size()) {
        EXPECT_EQ(end, '\0') << "an open bracket";
        return fields;
      }
      if (text_[at_] == end) {
        ++at_;
        return fields;
      }
      std::string name;
      while (at_ < text_.size() &&
             (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
        name += text_[at_++];
      if (name.empty()) throw std::runtime_error("no field at " + std::to_string(at_));
      blank();
      if (text_.at(at_) == ':') ++at_, blank();
      fields[name].push_back(value());
    }
  }
  json value() {
    if (text_.at(at_) == '{') return ++at_, message('}');
    if (text_[at_] == '[') {
      json list = json::array();
      for (++at_; blank(), text_.at(at_) != ']';) {
        list.push_back(value());
        blank();
        if (text_.at(at_) == ',') ++at_;
      }
      return ++at_, list;
    }
    std::string word;
    if (text_[at_] == '"') {
      for (++at_; text_.at(at_) != '"'; ++at_) {
        if (text_[at_] == '\\') ++at_;
        word += text_.at(at_);
      }
      return ++at_, word;
    }
    while (at_ < text_.size() &&
           std::string_view(" \n,]}").find(text_[at_]) == std::string_view::npos)
      word += text_[at_++];
    return word;
  }
  void blank() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  std::string text_;
  std::size_t at_ = 0;
};

std::vector<std::string> shapes(const std::vector<ServedTensor>& tensors) {
  std::vector<std::string> all;
  for (const ServedTensor& one : tensors) {
    std::string text = one.name;
    for (const std::int64_t side : one.sides) text += " " + std::to_string(side);
    all.push_back(text);
  }
  return all;
}

/// every_primitive(3) at 32 x 40: levels by hand from its strides.
struct Fixture {
  ExportOptions options;
  ExportModel model() const { return export_model(every_primitive(3), 32, 40, options); }
  ServedModel served(const char* name) const {
    return served_model(format(name), model(), options);
  }
};

std::int64_t rows_by_hand(const ExportModel& model) {
  std::int64_t count = 0;
  for (const network::Level& level : model.network().levels)
    count += static_cast<std::int64_t>(level.anchors.size()) *
             static_cast<std::int64_t>(32 / level.stride) *
             static_cast<std::int64_t>(40 / level.stride);
  return count;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST(ServingTensors, EveryFormatAndForm) {
  Fixture f;
  const std::string n = std::to_string(rows_by_hand(f.model()));
  f.options.grid = true;
  EXPECT_EQ(shapes(f.served("onnx").inputs), Texts{"images 1 3 32 40"});
  EXPECT_EQ(shapes(f.served("onnx").outputs), Texts{"output0 1 " + n + " 8"});
  EXPECT_EQ(shapes(f.served("saved_model").inputs), Texts{"images 1 32 40 3"});
  EXPECT_EQ(shapes(f.served("saved_model").outputs), Texts{"output_0 1 " + n + " 8"});
  EXPECT_EQ(shapes(f.served("pb").inputs), Texts{"x 1 32 40 3"});
  EXPECT_EQ(shapes(f.served("pb").outputs), Texts{"Identity 1 " + n + " 8"});
  EXPECT_EQ(shapes(f.served("torchscript").inputs), Texts{"INPUT__0 -1 3 -1 -1"});
  EXPECT_EQ(shapes(f.served("torchscript").outputs), Texts{"OUTPUT__0 -1 -1 8"});
  EXPECT_FALSE(f.served("onnx").open_batch);
  EXPECT_TRUE(f.served("torchscript").open_batch);
  f.options.dynamic_batch = true;
  EXPECT_EQ(shapes(f.served("onnx").outputs), Texts{"output0 -1 " + n + " 8"});
  EXPECT_TRUE(f.served("openvino").open_batch);
  f.options.dynamic = true;
  EXPECT_EQ(shapes(f.served("onnx").inputs), Texts{"images -1 3 -1 -1"});
  EXPECT_EQ(shapes(f.served("onnx").outputs), Texts{"output0 -1 -1 8"});
  EXPECT_EQ(shapes(f.served("saved_model").inputs), Texts{"images -1 32 40 3"}) << "its own sides";
  f.options = {};
  f.options.fold_obj = true;
  EXPECT_EQ(shapes(f.served("openvino").outputs), Texts{"output0 1 7 " + n});
}

TEST(ServingTensors, Suppression) {
  Fixture f;
  f.options.nms = true, f.options.dynamic_batch = true, f.options.topk_all = 50;
  EXPECT_EQ(shapes(f.served("onnx").outputs), Texts{"output0 -1 7"});
  EXPECT_FALSE(f.served("onnx").open_batch) << "its rows are of all images";
  const Texts plugin{"num_dets -1 1", "det_boxes -1 50 4", "det_scores -1 50", "det_classes -1 50"};
  EXPECT_EQ(shapes(f.served("engine").outputs), plugin);
  EXPECT_TRUE(f.served("engine").open_batch);
  EXPECT_EQ(f.served("engine").outputs[3].type, TensorType::int32);
  EXPECT_EQ(shapes(f.served("saved_model").outputs),
            (Texts{"output_0 -1 50 4", "output_1 -1 50", "output_2 -1 50", "output_3 -1"}));
  EXPECT_EQ(shapes(f.served("pb").outputs),
            (Texts{"Identity -1 50 4", "Identity_1 -1 50", "Identity_2 -1 50", "Identity_3 -1"}));
}

TEST(ServingTensors, RawMapsAndFloat16) {
  Fixture f;
  f.options.half = f.options.half_io = true;
  const ServedModel served = f.served("onnx");
  EXPECT_EQ(served.inputs[0].type, TensorType::float16);
  const ExportModel model = f.model();
  ASSERT_EQ(served.outputs.size(), model.network().levels.size());
  for (std::size_t j = 0; j < served.outputs.size(); ++j) {
    const network::Level& level = model.network().levels[j];
    EXPECT_EQ(served.outputs[j].name, "output" + std::to_string(j));
    EXPECT_EQ(served.outputs[j].sides, (Sides{1, static_cast<std::int64_t>(level.anchors.size()),
                                              static_cast<std::int64_t>(32 / level.stride),
                                              static_cast<std::int64_t>(40 / level.stride), 8}));
  }
  f.options.half_io = false, f.options.reference_parity = true;
  EXPECT_EQ(f.served("onnx").inputs[0].type, TensorType::float32);
  EXPECT_EQ(f.served("onnx").outputs[0].name, "output");
}

TEST(Serving, TritonConfigurationIsComplete) {
  Fixture f;
  f.options.grid = true;
  ServedModel served = f.served("onnx");
  json config = PbtxtReader(triton_config(format("onnx"), served, "a \"b\"",
                                          {{"names", "{0: 'it\\'s'}"}, {"stride", "32"}}, 8))
                    .read();
  EXPECT_EQ(config["name"], json({"a \"b\""}));
  EXPECT_EQ(config["platform"], json({"onnxruntime_onnx"}));
  EXPECT_EQ(config["default_model_filename"], json({"model.onnx"}));
  EXPECT_EQ(config["max_batch_size"], json({"0"})) << "a batch of one size";
  EXPECT_EQ(config["input"][0]["name"], json({"images"}));
  EXPECT_EQ(config["input"][0]["data_type"], json({"TYPE_FP32"}));
  EXPECT_EQ(config["input"][0]["dims"][0], json({"1", "3", "32", "40"}));
  EXPECT_EQ(config["parameters"][0]["key"], json({"names"}));
  EXPECT_EQ(config["parameters"][0]["value"][0]["string_value"], json({"{0: 'it\\'s'}"}));
  EXPECT_FALSE(config.contains("dynamic_batching"));

  f.options.dynamic_batch = true;
  config = PbtxtReader(triton_config(format("openvino"), f.served("openvino"), "m", {}, 8)).read();
  EXPECT_EQ(config["backend"], json({"openvino"}));
  EXPECT_EQ(config["max_batch_size"], json({"8"}));
  EXPECT_EQ(config["input"][0]["dims"][0], json({"3", "32", "40"})) << "without the batch";
  EXPECT_TRUE(config.contains("dynamic_batching"));

  f.options.end2end = true;
  config = PbtxtReader(triton_config(format("engine"), f.served("engine"), "m", {}, 4)).read();
  EXPECT_EQ(config["platform"], json({"tensorrt_plan"}));
  EXPECT_EQ(config["output"].size(), 4U);
  EXPECT_EQ(config["output"][0]["dims"][0], json({"1"}));
  EXPECT_EQ(config["output"][3]["data_type"], json({"TYPE_INT32"}));
}

TEST(Serving, RepositoriesAroundTheFiles) {
  const test::ScratchFolder folder;
  Fixture f;
  f.options.grid = true, f.options.weights = "best.pt";
  f.options.triton = (folder / "triton").string(), f.options.ovms = (folder / "ovms").string();
  folder.write("best.onnx", "ONNX");
  folder.write("best_openvino_model/best.xml", "XML");
  folder.write("best_openvino_model/best.bin", "BIN");
  const std::vector<ExportedFile> files{{&format("onnx"), folder / "best.onnx"},
                                        {&format("openvino"), folder / "best_openvino_model"}};
  EXPECT_EQ(write_served(files, f.model(), f.options).size(), 4U);
  EXPECT_EQ(test::read_text(folder / "triton/best-onnx/1/model.onnx"), "ONNX");
  EXPECT_EQ(test::read_text(folder / "triton/best-openvino/1/model.xml"), "XML");
  EXPECT_EQ(test::read_text(folder / "triton/best-openvino/1/model.bin"), "BIN");
  const json config = PbtxtReader(test::read_text(folder / "triton/best-onnx/config.pbtxt")).read();
  EXPECT_EQ(config["name"], json({"best-onnx"}));
  EXPECT_EQ(config["parameters"].size(), 6U) << "names, stride, imgsz, layout, strides, anchors";
  const json list = json::parse(test::read_text(folder / "ovms/config.json"));
  EXPECT_EQ(list, json::parse(R"({"model_config_list": [
      {"config": {"name": "best-onnx", "base_path": "best-onnx"}},
      {"config": {"name": "best-openvino", "base_path": "best-openvino"}}]})"));
  EXPECT_EQ(test::read_text(folder / "ovms/best-openvino/1/model.bin"), "BIN");

  // Again: the same, and another model in the repository stays.
  json others = list;
  others["model_config_list"].push_back({{"config", {{"name", "mine"}, {"base_path", "/m"}}}});
  test::write_text(folder / "ovms/config.json", others.dump());
  write_served(files, f.model(), f.options);
  EXPECT_EQ(json::parse(test::read_text(folder / "ovms/config.json")), others);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "triton"), {}), 2)
      << "nothing else is left";
}

// The servers would have the model of an earlier export, and another beside it.
TEST(Serving, AFormatThatFailedChangesNoName) {
  const test::ScratchFolder folder;
  Fixture f;
  f.options.grid = true, f.options.weights = "best.pt", f.options.include = {"onnx", "openvino"};
  f.options.triton = (folder / "triton").string();
  folder.write("best.onnx", "ONNX");
  const auto served = write_served({{&format("onnx"), folder / "best.onnx"}}, f.model(), f.options);
  ASSERT_EQ(served.size(), 1U);
  EXPECT_EQ(served[0].name, "best-onnx");
  EXPECT_EQ(test::read_text(folder / "triton/best-onnx/1/model.onnx"), "ONNX");
}

TEST(Serving, FoldersOfTheUserAreNotReplaced) {
  const test::ScratchFolder folder;
  Fixture f;
  f.options.grid = true, f.options.weights = "best.pt";
  f.options.triton = (folder / "triton").string();
  folder.write("best.onnx", "ONNX");
  folder.write("triton/best/mine.txt", "precious");
  const std::vector<ExportedFile> files{{&format("onnx"), folder / "best.onnx"}};
  EXPECT_NE(test::error_of([&] {
              write_served(files, f.model(), f.options);
            }).find("expected the folder of an earlier export, found mine.txt in it"),
            std::string::npos);
  EXPECT_EQ(test::read_text(folder / "triton/best/mine.txt"), "precious");
  // Another version of the model.
  f.options.triton = (folder / "other").string();
  folder.write("other/best/config.pbtxt", ""), folder.write("other/best/2/model.onnx", "precious");
  EXPECT_NE(test::error_of([&] {
              write_served(files, f.model(), f.options);
            }).find("found 2/model.onnx in it"),
            std::string::npos);
  EXPECT_EQ(test::read_text(folder / "other/best/2/model.onnx"), "precious");
  f.options.triton.clear();
  f.options.ovms = (folder / "ovms").string();
  folder.write("ovms/config.json", "[]");
  EXPECT_NE(test::error_of([&] {
              write_served(files, f.model(), f.options);
            }).find("expected an object with 'model_config_list'"),
            std::string::npos);
}

// No process has the largest number that Linux gives, 4,194,304.
TEST(Serving, WhatAKilledExportLeftIsCleanedUp) {
  const test::ScratchFolder folder;
  Fixture f;
  f.options.grid = true, f.options.weights = "best.pt";
  f.options.triton = (folder / "triton").string();
  folder.write("best.onnx", "ONNX");
  folder.write("triton/.best.4194304.export/1/model.onnx", "half");
  folder.write("triton/.best.4194304.export.old/config.pbtxt", "");
  folder.write("triton/.mine.txt", "precious");
  write_served({{&format("onnx"), folder / "best.onnx"}}, f.model(), f.options);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "triton"), {}), 2);
  EXPECT_EQ(test::read_text(folder / "triton/.mine.txt"), "precious");
  EXPECT_EQ(test::read_text(folder / "triton/best/1/model.onnx"), "ONNX");
}

TEST(Serving, AnEngineIsBuiltIntoItsPlace) {
  const test::ScratchFolder folder;
  Fixture f;
  f.options.end2end = true, f.options.weights = "best.pt", f.options.half = true;
  f.options.triton = (folder / "t").string(), f.options.deepstream = (folder / "d").string();
  folder.write("best-tensorrt.onnx", "ONNX");
  const auto served =
      write_served({{&format("engine"), folder / "best-tensorrt.onnx"}}, f.model(), f.options);
  ASSERT_EQ(served.size(), 2U);
  EXPECT_NE(served[0].command.find("t/best/1/model.plan"), std::string::npos) << served[0].command;
  EXPECT_TRUE(std::filesystem::is_directory(folder / "t/best/1"));
  const json triton = PbtxtReader(test::read_text(folder / "t/best/config.pbtxt")).read();
  std::vector<std::string> layouts;
  for (const json& one : triton["parameters"])
    if (one["key"] == json({"layout"})) layouts.push_back(one["value"][0]["string_value"][0]);
  EXPECT_EQ(layouts, Texts{"end2end-trt"});
  const std::string config = test::read_text(folder / "d/config_infer_best.txt");
  for (const char* line :
       {"net-scale-factor=0.0039215697906911373\n", "model-color-format=0\n", "network-mode=2\n",
        "maintain-aspect-ratio=1\nsymmetric-padding=1\n", "cluster-mode=4\n",
        "infer-dims=3;32;40\n", "num-detected-classes=3\n",
        "output-blob-names=num_dets;det_boxes;det_scores;det_classes\n",
        "parse-bbox-func-name=NvDsInferParseCustomEfficientNMS\n", "pre-cluster-threshold=0.25\n"})
    EXPECT_NE(config.find(line), std::string::npos) << line;
  EXPECT_NE(config.find("labelfile-path=" + (folder / "d/best-labels.txt").string()),
            std::string::npos);
  EXPECT_EQ(std::count(config.begin(), config.end(), '['), 2) << "two sections";
}

TEST(Serving, WhatAServerCannotRunIsRefused) {
  ExportOptions o;
  o.deepstream = "d";
  EXPECT_NE(test::error_of([&] {
              check_serving(o, chosen_formats({"engine"}));
            }).find("--deepstream: expected --end2end"),
            std::string::npos);
  o.end2end = true;
  EXPECT_EQ(test::error_of([&] { check_serving(o, chosen_formats({"engine"})); }), "no error");
  o.triton = "t";
  EXPECT_NE(test::error_of([&] {
              check_serving(o, chosen_formats({"engine", "onnx"}));
            }).find("runs in TensorRT alone"),
            std::string::npos);
  const test::ScratchFolder folder;
  o = {};
  o.triton = (folder / "t").string(), o.weights = (folder / "t/best/1/best.pt").string();
  EXPECT_NE(test::error_of([&] {
              check_serving(o, chosen_formats({"onnx"}));
            }).find("--triton: expected a folder without --weights"),
            std::string::npos);
  o.weights = (folder / "best.pt").string(), o.out = (folder / "t/best-onnx").string();
  EXPECT_NE(
      test::error_of([&] { check_serving(o, chosen_formats({"onnx"})); }).find("without --out"),
      std::string::npos);
  o.weights = "a/b.pt";
  EXPECT_EQ(served_name(o, format("onnx"), false), "b");
  EXPECT_EQ(served_name(o, format("onnx"), true), "b-onnx");
}
