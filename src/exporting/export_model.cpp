#include "exporting/export_model.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "network/graph/finite_weights.hpp"

namespace yolov7::exporting {
namespace {

int rounded_up(int side, int stride) { return (side + stride - 1) / stride * stride; }

std::shared_ptr<const network::NetworkAndWeights> folded(const network::Network& network,
                                                         const network::Weights& weights) {
  if (!network::is_fused(network))
    return std::make_shared<const network::NetworkAndWeights>(network::fuse(network, weights));
  network::check(network, weights);
  return std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{network, network::converted(weights, network::DataType::float32)});
}

std::string anchors_text(const network::Level& level) {
  std::vector<std::string> numbers;
  for (const network::AnchorSize& anchor : level.anchors) {
    numbers.push_back(text::general(anchor.w, 9));
    numbers.push_back(text::general(anchor.h, 9));
  }
  return text::join(numbers, ",");
}

std::string arguments_literal(const ExportModel& model, const ExportOptions& options) {
  const auto flag = [](bool value) { return value ? "True" : "False"; };
  std::string text = fmt::format(
      "{{'batch': {}, 'dynamic': {}, 'dynamic_batch': {}, 'half': {}, "
      "'int8': {}, 'fold_obj': {}",
      model.batch, flag(model.dynamic_size), flag(model.dynamic_batch), flag(options.half),
      flag(options.int8), flag(options.fold_obj));
  if (model.form == OutputForm::nms_operator || model.form == OutputForm::nms_plugin)
    text += fmt::format(", 'iou_thres': {}, 'conf_thres': {}, 'topk_all': {}, 'agnostic_nms': {}",
                        text::general(options.iou_thres), text::general(options.conf_thres),
                        options.topk_all, flag(options.agnostic_nms));
  return text + "}";
}

}  // namespace

void ExportModel::name_value(int number, const std::string& name) const {
  if (value_names == nullptr) return;
  const auto place = static_cast<std::size_t>(number);
  if (value_names->size() <= place) value_names->resize(place + 1);
  (*value_names)[place] = name;
}

ExportModel make_export_model(const network::Network& network, const network::Weights& weights,
                              std::vector<std::string> names, const ExportOptions& options) {
  check(options);
  network::check_finite(weights, options.weights);
  ExportModel model;
  if (names.empty())
    for (int i = 0; i < network.class_count; ++i) names.push_back(fmt::format("class{}", i));
  if (names.size() != static_cast<std::size_t>(network.class_count))
    throw Error(fmt::format("{}: expected {} class names, found {}", options.weights,
                            network.class_count, names.size()));
  model.names = std::move(names);
  const int stride = static_cast<int>(network.largest_stride());
  model.height = rounded_up(options.img_size.front(), stride);
  model.width = rounded_up(options.img_size.back(), stride);
  model.batch = options.batch_size;
  model.dynamic_size = options.dynamic;
  model.dynamic_batch = options.dynamic || options.dynamic_batch;
  model.form = output_form(options);
  model.fused = folded(network, weights);
  model.program = network::lower_detector(model.network(), model.height, model.width, false);
  const std::string source = network.source.substr(network.source.find_last_of('/') + 1);
  model.description = fmt::format("{}, {} class{}", source.substr(0, source.rfind(".yaml")),
                                  network.class_count, network.class_count == 1 ? "" : "es");
  return model;
}

ExportModel make_export_model(const network::Checkpoint& checkpoint, const ExportOptions& options) {
  ExportModel model = make_export_model(checkpoint.build_network(), checkpoint.inference_weights(),
                                        checkpoint.names, options);
  model.date = checkpoint.facts.date;
  return model;
}

std::string names_literal(const std::vector<std::string>& names) {
  std::string all = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    all += fmt::format("{}{}: '", i == 0 ? "" : ", ", i);
    for (const char c : text::printable(names[i])) {
      if (c == '\'' || c == '\\') all += '\\';
      all += c;
    }
    all += "'";
  }
  return all + "}";
}

std::string_view layout(const ExportModel& model, const ExportOptions& options) {
  switch (model.form) {
    case OutputForm::raw: return "raw";
    case OutputForm::decoded: return options.fold_obj ? "v8" : "v5";
    case OutputForm::nms_operator: return "end2end-ort";
    case OutputForm::nms_plugin: return "end2end-trt";
  }
  throw Error("unknown form of the outputs");
}

Metadata metadata(const ExportModel& model, const ExportOptions& options,
                  std::string_view layout_name) {
  const network::Network& network = model.network();
  std::vector<std::string> strides, anchors;
  for (const network::Level& level : network.levels) {
    if (level.auxiliary) continue;
    strides.push_back(text::general(level.stride));
    anchors.push_back(anchors_text(level));
  }
  Metadata all = {
      {"description", model.description},
      {"author", "yolov7.cpp"},
      {"license", "Apache-2.0 (program); the weights keep their own"},
      {"docs", "docs/exporting.md"},
      {"version", std::string(program_version())},
      {"date", model.date},
      {"stride", text::general(network.largest_stride())},
      {"task", "detect"},
      {"batch", fmt::format("{}", model.batch)},
      {"imgsz", fmt::format("[{}, {}]", model.height, model.width)},
      {"names", names_literal(model.names)},
      {"args", arguments_literal(model, options)},
      {"layout", std::string(layout_name)},
      {"strides", text::join(strides, ",")},
      {"anchors", text::join(anchors, ";")},
  };
  std::erase_if(all, [](const auto& pair) { return pair.second.empty(); });
  return all;
}

std::string metadata_yaml(const Metadata& metadata) {
  std::string all;
  for (const auto& [key, value] : metadata) {
    all += key + ": '";
    for (const char c : value) all += c == '\'' ? "''" : std::string(1, c);
    all += "'\n";
  }
  return all;
}

void require_quantization(const ExportModel& model, const ExportOptions& options) {
  if (options.int8 && model.quantization == nullptr)
    throw Error("--int8: expected the scales of a calibration, found none");
}

void require_float16_range(const ExportModel& model) {
  // float16 ends at 65504; from 65520 on, rounding gives infinity.
  for (const auto& [name, tensor] : model.fused->weights.entries())
    for (const float value : tensor.to_floats())
      if (std::abs(value) >= 65520)
        throw Error(fmt::format("--half: {}: expected values of at most 65504, found {}", name,
                                text::general(value)));
}

}  // namespace yolov7::exporting
