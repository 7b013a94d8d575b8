#include "exporting/tensorflow.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/error.hpp"
#include "core/value.hpp"
#include "exporting/channels_last.hpp"
#include "exporting/channels_last_builder.hpp"
#include "exporting/tensorflow_graph.hpp"

namespace yolov7::exporting {
namespace {

// Field numbers of saved_model.proto and meta_graph.proto (public schemas, Apache-2.0).
namespace saved_model_field {
constexpr int schema_version = 1, meta_graphs = 2;
}
namespace meta_graph_field {
constexpr int info = 1, graph = 2, signature = 5;
}
namespace info_field {
constexpr int tags = 4, tensorflow_version = 5;
}
namespace signature_field {
constexpr int inputs = 1, outputs = 2, method = 3;
}

struct Output {
  std::string node;
  TensorflowType type = TensorflowType::float32;
  Shape shape;
};

struct Built {
  ProtobufMessage graph;
  Shape input;  // −1 = open
  std::vector<Output> outputs;
};

bool suppresses(const ExportModel& model) { return model.form > OutputForm::decoded; }

/// As the formats of channels-last tensors have it, and suppression where it is asked for.
ExportModel own_model(const ExportModel& model, const ExportOptions& options) {
  ExportModel own = channels_last_model(model, options);
  if (suppresses(model)) own.form = OutputForm::nms_operator;
  return own;
}

std::string_view own_layout(const ExportModel& own, const ExportOptions& options) {
  return suppresses(own) ? "tf-combined-nms" : channels_last_layout(options);
}

void add_suppression(TensorflowGraph& graph, const ExportModel& model, const ExportOptions& options,
                     int images, std::vector<Output>& outputs) {
  const SuppressionInputs in = channels_last_suppression(graph, model, images);
  const std::array<int, 4> found = graph.combined_suppression(
      in.boxes, in.scores, options.topk_per_class, options.topk_all,
      static_cast<float>(options.iou_thres), static_cast<float>(options.conf_thres));
  const std::int64_t batch = batch_side(model), most = options.topk_all;
  outputs = {{"Identity", TensorflowType::float32, {batch, most, 4}},
             {"Identity_1", TensorflowType::float32, {batch, most}},
             {"Identity_2", TensorflowType::float32, {batch, most}},
             {"Identity_3", TensorflowType::int32, {batch}}};
  for (std::size_t i = 0; i < outputs.size(); ++i)
    graph.output(found[i], outputs[i].node, outputs[i].type);
}

Built built(const ExportModel& model, const ExportOptions& options, const std::string& input) {
  TensorflowGraph graph(model.fused);
  Shape shape{batch_side(model), model.height, model.width, 3};
  const int images = graph.input(input, TensorflowType::float32, shape);
  std::vector<Output> outputs;
  if (suppresses(model)) {
    add_suppression(graph, model, options, images, outputs);
  } else {
    auto [value, sides] = channels_last(graph, model, options, images);
    graph.output(value);
    sides.front() = batch_side(model);
    outputs.push_back({"Identity", TensorflowType::float32, std::move(sides)});
  }
  return {std::move(graph).graph(), std::move(shape), std::move(outputs)};
}

ProtobufMessage tensor_info(std::string_view name, TensorflowType type, const Shape& shape) {
  ProtobufMessage info;
  info.text(1, name).integer(2, static_cast<int>(type)).message(3, tensorflow_shape(shape));
  return info;
}

void require_size(const ProtobufMessage& message, std::string_view format) {
  if (message.size() > protobuf_limit)
    throw Error(fmt::format("{}: expected at most 2 GB, which is the format's limit, found {:.1f}",
                            format, static_cast<double>(message.size()) / 1e9));
}

void write_file(const ProtobufMessage& message, const std::filesystem::path& path) {
  std::ofstream out(path, std::ios::binary);
  message.write(out);
  if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace

void write_saved_model(const ExportModel& model, const ExportOptions& options,
                       const std::filesystem::path& path) {
  const ExportModel own = own_model(model, options);
  Built one = built(own, options, "images");
  ProtobufMessage info, signature, meta, file;
  info.text(info_field::tags, "serve").text(info_field::tensorflow_version, "2.21.0");
  signature.entry(signature_field::inputs, "images",
                  tensor_info("images:0", TensorflowType::float32, one.input));
  for (std::size_t i = 0; i < one.outputs.size(); ++i)
    signature.entry(
        signature_field::outputs, fmt::format("output_{}", i),
        tensor_info(one.outputs[i].node + ":0", one.outputs[i].type, one.outputs[i].shape));
  signature.text(signature_field::method, "tensorflow/serving/predict");
  meta.message(meta_graph_field::info, std::move(info))
      .message(meta_graph_field::graph, std::move(one.graph))
      .entry(meta_graph_field::signature, "serving_default", std::move(signature));
  file.integer(saved_model_field::schema_version, 1)
      .message(saved_model_field::meta_graphs, std::move(meta));
  require_size(file, "saved_model");
  std::filesystem::create_directories(path / "variables");
  write_file(file, path / "saved_model.pb");
  std::ofstream yaml(path / "metadata.yaml", std::ios::binary);
  for (const auto& [key, value] : metadata(own, options, own_layout(own, options)))
    yaml << key << ": " << yaml_scalar(value) << '\n';
  if (!yaml.flush())
    throw Error(fmt::format("{}: cannot be written", (path / "metadata.yaml").string()));
}

void write_frozen_graph(const ExportModel& model, const ExportOptions& options,
                        const std::filesystem::path& path) {
  const Built one = built(own_model(model, options), options, "x");
  require_size(one.graph, "pb");
  write_file(one.graph, path);
}

}  // namespace yolov7::exporting
