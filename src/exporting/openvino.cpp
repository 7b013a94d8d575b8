#include "exporting/openvino.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "exporting/onnx.hpp"
#include "runtime/openvino/convert_ir.hpp"

namespace yolov7::exporting {
namespace {

/// names_literal() as YAML's flow style, whose single quotes double a quote and know no backslash.
std::string names_flow(const std::vector<std::string>& names) {
  std::string all = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    all += fmt::format("{}{}: '", i == 0 ? "" : ", ", i);
    for (const char c : text::printable(names[i])) {
      if (c == '\'') all += '\'';
      all += c;
    }
    all += "'";
  }
  return all + "}";
}

/// What OpenVINO's Model API prepares images by, and how it names what it finds.
void add_model_info(const ExportModel& model, const ExportOptions& options,
                    std::vector<runtime::IrOptions::Info>& info) {
  std::vector<std::string> labels = model.names;
  for (std::string& label : labels) {
    label = text::printable(label);
    std::replace(label.begin(), label.end(), ' ', '_');
  }
  const std::pair<const char*, std::string> keys[] = {
      {"model_type", "YOLO"},
      {"reverse_input_channels", "True"},
      {"pad_value", "114"},
      {"scale_values", "255"},
      {"resize_type", "fit_to_window_letterbox"},
      {"iou_threshold", text::general(options.iou_thres)},
      {"confidence_threshold", text::general(options.conf_thres)},
      {"labels", text::join(labels, " ")},
  };
  for (const auto& [key, value] : keys) info.push_back({"model_info", key, value});
}

}  // namespace

void write_openvino(const ExportModel& model, const ExportOptions& options,
                    const std::filesystem::path& path) {
  if (options.end2end && !options.nms && options.max_wh < 0)
    throw usage_error(
        "export: openvino: --end2end is TensorRT's suppression, which OpenVINO lacks; use --nms");
  ExportModel own = model;
  if (own.form == OutputForm::raw) own.form = OutputForm::decoded;
  ExportOptions plain = options;
  plain.half = plain.half_io = false;  // OpenVINO stores float16 and keeps the arithmetic
  plain.qdq = options.qdq == "tensorrt" ? "openvino-tensorrt" : "openvino";
  file::make_folder(path);
  const std::filesystem::path onnx = path / "model.onnx",
                              stem = std::filesystem::path(options.weights).stem();
  write_onnx(own, plain, onnx);
  runtime::IrOptions ir;
  ir.half = options.half;
  std::string yaml;
  for (const auto& [key, value] : metadata(own, options, layout(own, options))) {
    ir.info.push_back({"yolov7", key, value});
    if (key == "names")
      yaml += fmt::format("{}: {}\n", key, names_flow(own.names));
    else if (key == "args" || key == "imgsz")
      yaml += fmt::format("{}: {}\n", key, value);  // YAML's flow style, as it stands
    else
      yaml += fmt::format("{}: {}\n", key, yaml_scalar(value));
  }
  add_model_info(own, options, ir.info);
  runtime::convert_to_ir(onnx, path / (stem.string() + ".xml"), ir);
  std::filesystem::remove(onnx);
  file::write_atomically(path / "metadata.yaml", yaml);
}

}  // namespace yolov7::exporting
