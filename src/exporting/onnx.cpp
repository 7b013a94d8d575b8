#include "exporting/onnx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exporting/onnx_graph.hpp"
#include "exporting/onnx_primitives.hpp"
#include "exporting/onnx_suppression.hpp"

namespace yolov7::exporting {
namespace {

OnnxSide batch_side(const ExportModel& model) {
  if (model.dynamic_batch) return "batch";
  return std::int64_t{model.batch};
}

std::int64_t cells(int side, double stride) {
  return static_cast<std::int64_t>(std::lround(side / stride));
}

std::int64_t row_count(const ExportModel& model) {
  std::int64_t rows = 0;
  for (const network::Level& level : model.network().levels)
    if (!level.auxiliary)
      rows += static_cast<std::int64_t>(level.anchors.size()) * cells(model.height, level.stride) *
              cells(model.width, level.stride);
  return rows;
}

class OnnxWriter {
 public:
  OnnxWriter(const ExportModel& model, const ExportOptions& options)
      : model_(model),
        options_(options),
        type_(options.half ? OnnxType::float16 : OnnxType::float32),
        io_(options.half && options.half_io ? OnnxType::float16 : OnnxType::float32),
        graph_(options.opset),
        primitives_(graph_, model, type_, onnx_quantizer_form(options.qdq)) {}

  ProtobufMessage run() && {
    graph_.input("images", io_,
                 {batch_side(model_), std::int64_t{3}, side(model_.height, "height"),
                  side(model_.width, "width")});
    primitives_.network(io_ == type_ ? std::string("images") : graph_.cast("images", type_));
    std::vector<std::string> domains = primitives_.quantizers().domains();
    switch (model_.form) {
      case OutputForm::raw: raw(); break;
      case OutputForm::decoded: decoded(); break;
      case OutputForm::nms_operator:
        give(suppressed_by_operator(graph_, primitives_.rows(), model_, options_),
             {"detections", std::int64_t{7}});
        break;
      case OutputForm::nms_plugin:
        suppressed_by_plugin(graph_, primitives_.rows(), class_count(), batch_side(model_),
                             options_);
        domains.emplace_back("TRT");
        break;
    }
    return std::move(graph_).model(metadata(model_, options_, layout(model_, options_)), domains);
  }

 private:
  int class_count() const { return model_.network().class_count; }
  OnnxSide side(int length, const char* name) const {
    if (model_.dynamic_size) return name;
    return std::int64_t{length};
  }
  std::string output_name(std::size_t number) const {
    return number == 0 && options_.reference_parity ? "output" : fmt::format("output{}", number);
  }

  /// `value` becomes the first output, in the type that outputs have.
  void give(const std::string& value, const std::vector<OnnxSide>& shape) {
    const std::string name = output_name(0);
    if (io_ == OnnxType::float32)
      graph_.node("Identity", {value}, {}, name);
    else
      graph_.node("Cast", {value}, {{"to", static_cast<std::int64_t>(io_)}}, name);
    graph_.output(name, io_, shape);
  }

  void decoded() {
    const std::string rows = primitives_.rows();
    const OnnxSide count = model_.dynamic_size ? OnnxSide("anchors") : OnnxSide(row_count(model_));
    if (options_.fold_obj)
      give(without_objectness(graph_, rows, class_count()),
           {batch_side(model_), std::int64_t{4} + class_count(), count});
    else
      give(rows, {batch_side(model_), count, std::int64_t{5} + class_count()});
  }

  void raw() {
    const auto& levels = primitives_.levels();
    std::vector<std::string> names;
    for (std::size_t j = 0; j < levels.size(); ++j) names.push_back(output_name(j));
    primitives_.raw_maps(names, io_);
    for (std::size_t j = 0; j < levels.size(); ++j) {
      const network::Level& level = model_.network().levels[j];
      const auto cells_of = [&](int length, const char* axis) {
        if (model_.dynamic_size) return OnnxSide(fmt::format("{}{}", axis, j));
        return OnnxSide(cells(length, level.stride));
      };
      graph_.output(names[j], io_,
                    {batch_side(model_), static_cast<std::int64_t>(level.anchors.size()),
                     cells_of(model_.height, "y"), cells_of(model_.width, "x"),
                     std::int64_t{5} + class_count()});
    }
  }

  const ExportModel& model_;
  const ExportOptions& options_;
  OnnxType type_, io_;
  OnnxGraph graph_;
  OnnxPrimitives primitives_;
};

}  // namespace

void write_onnx(const ExportModel& model, const ExportOptions& options,
                const std::filesystem::path& path) {
  if (options.half) require_float16_range(model);
  require_quantization(model, options);
  if (options.half_io && model.form == OutputForm::nms_plugin)
    throw usage_error(
        "export: onnx: --half-io: TensorRT's suppression gives float32 here; leave "
        "the option out");
  const ProtobufMessage file = OnnxWriter(model, options).run();
  if (file.size() > protobuf_limit)
    throw Error(
        fmt::format("onnx: expected at most 2 GB, which is the format's limit, found {:.1f}",
                    static_cast<double>(file.size()) / 1e9));
  std::ofstream out(path, std::ios::binary);
  file.write(out);
  if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

namespace {

ExportModel for_tensorrt(const ExportModel& model, const ExportOptions& options) {
  ExportModel own = model;
  own.dynamic_size = false;
  own.dynamic_batch = options.dynamic_batch;
  if (own.form == OutputForm::nms_operator) own.form = OutputForm::nms_plugin;
  return own;
}

}  // namespace

void write_tensorrt_onnx(const ExportModel& model, const ExportOptions& options,
                         const std::filesystem::path& path) {
  ExportOptions own = options;
  own.half = own.half_io = false;
  own.qdq = "tensorrt";
  write_onnx(for_tensorrt(model, options), own, path);
}

}  // namespace yolov7::exporting
