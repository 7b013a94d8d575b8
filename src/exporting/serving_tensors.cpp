#include "exporting/serving_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "exporting/channels_last.hpp"

namespace yolov7::exporting {
namespace {

using Sides = std::vector<std::int64_t>;

std::int64_t cells(int length, double stride) { return static_cast<std::int64_t>(length / stride); }

/// Of a file whose sides may be open.
class Tensors {
 public:
  Tensors(const ExportModel& model, const ExportOptions& options, bool open_batch, bool open_size)
      : model_(model), options_(options), open_batch_(open_batch), open_size_(open_size) {}

  std::int64_t batch() const { return open_batch_ ? -1 : model_.batch; }
  std::int64_t side(std::int64_t length) const { return open_size_ ? -1 : length; }
  std::int64_t classes() const { return model_.network().class_count; }
  std::int64_t rows() const {
    std::int64_t count = 0;
    for (const network::Level& level : model_.network().levels)
      if (!level.auxiliary)
        count += static_cast<std::int64_t>(level.anchors.size()) *
                 cells(model_.height, level.stride) * cells(model_.width, level.stride);
    return side(count);
  }

  ServedTensor images(const std::string& name, bool channels_last, TensorType type) const {
    const std::int64_t h = side(model_.height), w = side(model_.width);
    return {name, type, channels_last ? Sides{batch(), h, w, 3} : Sides{batch(), 3, h, w}};
  }
  /// `name`: of the outputs by their number.
  template <class Name>
  std::vector<ServedTensor> outputs(OutputForm form, TensorType type, Name name) const {
    switch (form) {
      case OutputForm::raw: return maps(type, name);
      case OutputForm::decoded:
        return {{name(0), type,
                 options_.fold_obj ? Sides{batch(), 4 + classes(), rows()}
                                   : Sides{batch(), rows(), 5 + classes()}}};
      case OutputForm::nms_operator: return {{name(0), type, {-1, 7}}};
      case OutputForm::nms_plugin: break;
    }
    const std::int64_t most = options_.topk_all;
    return {{"num_dets", TensorType::int32, {batch(), 1}},
            {"det_boxes", TensorType::float32, {batch(), most, 4}},
            {"det_scores", TensorType::float32, {batch(), most}},
            {"det_classes", TensorType::int32, {batch(), most}}};
  }

 private:
  template <class Name>
  std::vector<ServedTensor> maps(TensorType type, Name name) const {
    std::vector<ServedTensor> all;
    for (const network::Level& level : model_.network().levels)
      if (!level.auxiliary)
        all.push_back({name(all.size()),
                       type,
                       {batch(), static_cast<std::int64_t>(level.anchors.size()),
                        side(cells(model_.height, level.stride)),
                        side(cells(model_.width, level.stride)), 5 + classes()}});
    return all;
  }

  const ExportModel& model_;
  const ExportOptions& options_;
  bool open_batch_, open_size_;
};

ServedModel onnx_tensors(const ExportModel& model, const ExportOptions& options, OutputForm form,
                         bool half_io, bool open_size) {
  const Tensors tensors(model, options, model.dynamic_batch, open_size);
  const TensorType type = half_io ? TensorType::float16 : TensorType::float32;
  ServedModel served;
  served.inputs = {tensors.images("images", false, type)};
  served.outputs = tensors.outputs(form, type, [&](std::size_t number) {
    return number == 0 && options.reference_parity ? std::string("output")
                                                   : fmt::format("output{}", number);
  });
  served.open_batch = model.dynamic_batch && form != OutputForm::nms_operator;
  return served;
}

ServedModel tensorflow_tensors(const ExportModel& model, const ExportOptions& options, bool graph) {
  const ExportModel own = channels_last_model(model, options);
  const Tensors tensors(own, options, own.dynamic_batch, false);
  ServedModel served;
  served.open_batch = own.dynamic_batch;
  served.inputs = {tensors.images(graph ? "x" : "images", true, TensorType::float32)};
  served.outputs = tensors.outputs(own.form, TensorType::float32, [&](std::size_t) {
    return std::string(graph ? "Identity" : "output_0");
  });
  if (model.form <= OutputForm::decoded) return served;
  const auto name = [&](int number) {
    return graph ? fmt::format("Identity_{}", number) : fmt::format("output_{}", number);
  };
  const std::int64_t batch = tensors.batch(), most = options.topk_all;
  served.outputs.front().sides = {batch, most, 4};
  served.outputs.push_back({name(1), TensorType::float32, {batch, most}});
  served.outputs.push_back({name(2), TensorType::float32, {batch, most}});
  served.outputs.push_back({name(3), TensorType::int32, {batch}});
  return served;
}

/// TorchScript has no names; Triton numbers what goes in and comes out.
ServedModel script_tensors(const ExportModel& model, const ExportOptions& options) {
  const Tensors tensors(model, options, true, true);
  const TensorType type = options.half_io ? TensorType::float16 : TensorType::float32;
  const OutputForm form = model.form == OutputForm::raw ? OutputForm::raw : OutputForm::decoded;
  ServedModel served;
  served.inputs = {tensors.images("INPUT__0", false, type)};
  served.outputs = tensors.outputs(
      form, type, [](std::size_t number) { return fmt::format("OUTPUT__{}", number); });
  served.open_batch = true;
  return served;
}

}  // namespace

ServedModel served_model(const Format& format, const ExportModel& model,
                         const ExportOptions& options) {
  if (format.by_libtorch) return script_tensors(model, options);
  if (format.name == "tflite") {
    ExportModel plain = model;
    plain.form = OutputForm::decoded;  // suppression is not part of it
    return tensorflow_tensors(plain, options, false);
  }
  if (format.name == "saved_model" || format.name == "pb")
    return tensorflow_tensors(model, options, format.name == "pb");
  if (format.name == "engine") {
    ExportModel own = model;
    own.dynamic_batch = options.dynamic_batch;
    const OutputForm form =
        model.form == OutputForm::nms_operator ? OutputForm::nms_plugin : model.form;
    return onnx_tensors(own, options, form, false, false);
  }
  const bool openvino = format.name == "openvino";
  const OutputForm form =
      openvino && model.form == OutputForm::raw ? OutputForm::decoded : model.form;
  return onnx_tensors(model, options, form, options.half_io && !openvino, model.dynamic_size);
}

}  // namespace yolov7::exporting
