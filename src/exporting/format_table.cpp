#include "exporting/format_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exporting/coreml.hpp"
#include "exporting/coreml_constants.hpp"
#include "exporting/ncnn.hpp"
#include "exporting/onnx.hpp"
#include "exporting/openvino.hpp"
#include "exporting/tensorflow.hpp"
#include "exporting/tflite.hpp"
#include "exporting/torchscript.hpp"
#include "exporting/trtexec.hpp"

namespace yolov7::exporting {
namespace {

constexpr std::string_view always_honoured[] = {
    "weights", "include", "out",   "img-size",  "batch-size",     "device",
    "images",  "data",    "split", "no-verify", "accuracy-budget"};

std::string coremlcompiler_line(const ExportModel&, const ExportOptions&,
                                const std::filesystem::path& package) {
  return "xcrun coremlcompiler compile " + text::shell_word(package.string()) + " .";
}

std::string ncnnoptimize_line(const ExportModel&, const ExportOptions&,
                              const std::filesystem::path& folder) {
  const auto part = [&](const char* name) { return text::shell_word((folder / name).string()); };
  return fmt::format("ncnnoptimize {} {} optimized.param optimized.bin 0", part("model.ncnn.param"),
                     part("model.ncnn.bin"));
}

Format onnx_row() {
  return {.name = "onnx",
          .spellings = {},
          .file_name = "{}.onnx",
          .description = "ONNX, for ONNX Runtime, OpenVINO, TensorRT and others",
          .options = {"dynamic", "dynamic-batch", "grid", "end2end", "nms", "include-nms", "max-wh",
                      "topk-all", "iou-thres", "conf-thres", "agnostic-nms", "fold-obj", "half",
                      "half-io", "opset", "reference-parity", "qdq"},
          .without_effect = {{"simplify", "the graph is written without anything to simplify"},
                             {"topk-per-class", "the operation has one limit, --topk-all"}},
          .write = write_onnx,
          .readable = true};
}

Format openvino_row() {
  return {.name = "openvino",
          .spellings = {"ir"},
          .file_name = "{}_openvino_model",
          .description = "OpenVINO IR, for Intel processors",
          .options = {"dynamic", "dynamic-batch", "nms", "max-wh", "topk-all", "iou-thres",
                      "conf-thres", "agnostic-nms", "fold-obj", "half", "reference-parity", "qdq"},
          .without_effect = {{"grid", "the boxes are always decoded"},
                             {"simplify", "the graph is written without anything to simplify"},
                             {"half-io", "inputs and outputs are float32"}},
          .write = write_openvino,
          .readable = true};
}

Format tflite_row() {
  return {.name = "tflite",
          .spellings = {"litert"},
          .file_name = "{}.tflite",
          .description = "LiteRT (TensorFlow Lite), for mobile and small devices",
          .options = {"dynamic-batch", "fold-obj", "half"},
          .without_effect = {{"grid", "boxes are decoded always"},
                             {"simplify", "the graph is written without anything to simplify"},
                             {"dynamic", "height and width are fixed in this format"},
                             {"half-io", "inputs and outputs are float32"}},
          .write = write_tflite,
          .readable = true};
}

/// What SavedModel and frozen graph have in common.
Format tensorflow_row(std::string_view name, std::string_view file_name,
                      std::string_view description, WriteFormat write) {
  return {.name = name,
          .spellings = {},
          .file_name = file_name,
          .description = description,
          .options = {"dynamic-batch", "fold-obj", "end2end", "nms", "include-nms", "topk-all",
                      "topk-per-class", "iou-thres", "conf-thres"},
          .without_effect = {{"grid", "boxes are decoded always"},
                             {"simplify", "the graph is written without anything to simplify"},
                             {"dynamic", "height and width are fixed in this format"},
                             {"max-wh", "the operation keeps classes apart by itself"},
                             {"agnostic-nms", "the operation suppresses within classes"}},
          .write = write,
          .readable = true};
}

Format saved_model_row() {
  return tensorflow_row("saved_model", "{}_saved_model", "TensorFlow SavedModel",
                        write_saved_model);
}

Format pb_row() {
  Format format = tensorflow_row("pb", "{}.pb", "TensorFlow frozen graph", write_frozen_graph);
  format.spellings = {"frozen_graph"};
  format.holds_names = false;
  return format;
}

constexpr std::string_view weights_alone = "weights alone are 8-bit numbers";

Format coreml_row() {
  return {.name = "coreml",
          .spellings = {"mlpackage"},
          .file_name = "{}.mlpackage",
          .description = "Core ML, for Apple's devices",
          .options = {"end2end", "nms", "include-nms", "iou-thres", "conf-thres", "agnostic-nms",
                      "fold-obj", "half", "int8", "mlmodel", "reference-parity"},
          .without_effect = {{"calib-images", weights_alone},
                             {"calib-method", weights_alone},
                             {"per-tensor", weights_alone},
                             {"effort", weights_alone},
                             {"sensitivity", weights_alone},
                             {"grid", "boxes are decoded always"},
                             {"simplify", "the graph is written without anything to simplify"},
                             {"max-wh", "the operation keeps classes apart by itself"},
                             {"topk-all", "the operation has no limit"},
                             {"topk-per-class", "the operation has no limit"},
                             {"dynamic", "the file is for one image of one height and width"},
                             {"dynamic-batch", "the file is for one image"},
                             {"batch-size", "the file is for one image", true}},
          .command = coremlcompiler_line,
          .write = write_coreml,
          .read_weights = coreml_package_weights};
}

Format torchscript_row() {
  return {.name = "torchscript",
          .spellings = {},
          .file_name = "{}.torchscript",
          .description = "TorchScript, for LibTorch and PyTorch",
          .options = {"grid", "fold-obj", "half", "half-io"},
          .without_effect = {{"simplify", "the graph is written without anything to simplify"},
                             {"dynamic", "batch, height and width are always open"},
                             {"dynamic-batch", "batch, height and width are always open"},
                             {"reference-parity", "outputs have no names"}},
          .write = write_torchscript,
          .readable = true,
          .by_libtorch = true};
}

Format torchscript_lite_row() {
  Format row = torchscript_row();
  row.name = "torchscript-lite";
  row.spellings = {"ptl"};
  row.file_name = "{}.torchscript.ptl";
  row.description = "TorchScript for PyTorch Mobile";
  row.write = write_torchscript_lite;
  return row;
}

Format ncnn_row() {
  return {.name = "ncnn",
          .spellings = {},
          .file_name = "{}_ncnn_model",
          .description = "ncnn, for mobile processors",
          .options = {"grid", "fold-obj", "half", "reference-parity"},
          .without_effect = {{"simplify", "the graph is written without anything to simplify"},
                             {"dynamic", "the file is for one image of one height and width"},
                             {"dynamic-batch", "the format has no batch axis"},
                             {"batch-size", "the format has no batch axis", true}},
          .command = ncnnoptimize_line,
          .write = write_ncnn};
}

std::string engine_line(const ExportModel& model, const ExportOptions& options,
                        const std::filesystem::path& onnx) {
  return trtexec_line(model, options, onnx);
}

Format engine_row() {
  return {.name = "engine",
          .spellings = {"tensorrt", "trt"},
          .file_name = "{}-tensorrt.onnx",
          .description = "ONNX for TensorRT, and the line that builds the engine",
          .options = {"dynamic-batch", "grid", "end2end", "nms", "include-nms", "topk-all",
                      "iou-thres", "conf-thres", "agnostic-nms", "fold-obj", "half", "opset",
                      "workspace", "cache", "reference-parity"},
          .without_effect = {{"simplify", "the graph is written without anything to simplify"},
                             {"dynamic", "an engine is built for one height and width"}},
          .command = engine_line,
          .write = write_tensorrt_onnx,
          .not_built = "the engine is not built: TensorRT builds it, with the line below",
          .readable = true};
}

/// Options that put files where a server looks for them, and the formats that it runs.
std::vector<std::pair<std::string_view, std::vector<std::string>>> servers() {
  return {{"triton", {"onnx", "openvino", "saved_model", "pb", "torchscript", "engine"}},
          {"ovms", {"onnx", "openvino", "saved_model", "tflite"}},
          {"deepstream", {"engine"}}};
}

/// Formats that hold 8-bit integers, and the options that come with them.
constexpr std::string_view integer_formats[] = {"onnx", "openvino", "tflite", "engine"};
constexpr std::string_view integer_options[] = {"int8",         "per-tensor", "calib-images",
                                                "calib-method", "effort",     "sensitivity"};

std::vector<Format> all_rows() {
  std::vector<Format> rows = {onnx_row(), openvino_row(), tflite_row(),      saved_model_row(),
                              pb_row(),   coreml_row(),   torchscript_row(), torchscript_lite_row(),
                              ncnn_row(), engine_row()};
  for (Format& row : rows) {
    row.without_effect.push_back({"optimize", "the passes of PyTorch Mobile are not applied"});
    for (const auto& [option, names] : servers())
      if (text::contains(names, row.name)) row.options.push_back(option);
    if (std::ranges::find(integer_formats, row.name) != std::end(integer_formats))
      row.options.insert(row.options.end(), std::begin(integer_options), std::end(integer_options));
  }
  return rows;
}

/// In the order of help and tables.
const std::vector<Format>& table() {
  static const std::vector<Format> rows = all_rows();
  return rows;
}

/// Formats that their vendors' programs write from a file of ours.
struct Conversion {
  std::string_view name, from, command;
};
constexpr Conversion conversions[] = {
    {"mnn", "onnx --grid",
     "mnnconvert -f ONNX --modelFile best.onnx --MNNModel best.mnn --bizCode yolov7"},
    {"rknn", "onnx",
     "rknn-toolkit2: RKNN().load_onnx('best.onnx'), build(do_quantization=False), "
     "export_rknn('best.rknn')"},
    {"hailo", "onnx", "hailo parser onnx best.onnx --hw-arch hailo8"},
    {"edgetpu", "tflite --int8, whose input and output are float32 (not tried here)",
     "edgetpu_compiler best-int8.tflite"},
    {"tfjs", "saved_model",
     "tensorflowjs_converter --input_format=tf_saved_model --signature_name=serving_default "
     "best_saved_model best_web_model"},
    {"executorch", "nothing: it wants the network as code of PyTorch",
     "torch.export.export and executorch.exir.to_edge"},
    {"paddle", "onnx --grid",
     "x2paddle --framework=onnx --model=best.onnx --save_dir=best_paddle_model"}};

std::vector<std::string> all_spellings() {
  std::vector<std::string> all{"all"};
  for (const Format& one : formats()) {
    all.emplace_back(one.name);
    all.insert(all.end(), one.spellings.begin(), one.spellings.end());
  }
  return all;
}

}  // namespace

std::span<const Format> formats() { return table(); }

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& one : formats()) names.emplace_back(one.name);
  return names;
}

const Format& format(std::string_view name) {
  for (const Format& one : formats()) {
    if (one.name == name ||
        std::find(one.spellings.begin(), one.spellings.end(), name) != one.spellings.end())
      return one;
  }
  for (const Conversion& one : conversions)
    if (one.name == name)
      throw usage_error(
          fmt::format("export: --include: {} is written by its vendor's program, from "
                      "--include {}: {}",
                      name, one.from, one.command));
  throw usage_error(fmt::format("export: --include: expected {} or all, found '{}'{}",
                                text::join(format_names(), ", "), text::printable(name),
                                text::did_you_mean(name, all_spellings())));
}

std::vector<const Format*> chosen_formats(const std::vector<std::string>& include) {
  std::vector<const Format*> asked;
  for (const std::string& part : include)
    for (const std::string_view piece : text::split(part, ',')) {
      const std::string_view name = text::trim(piece);
      if (name.empty()) continue;
      if (name == "all") {
        for (const Format& one : formats()) asked.push_back(&one);
      } else {
        asked.push_back(&format(name));
      }
    }
  if (asked.empty())
    throw usage_error(fmt::format("export: --include: expected {} or all, found nothing",
                                  text::join(format_names(), ", ")));
  std::sort(asked.begin(), asked.end());  // of one table
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  return asked;
}

bool honours(const Format& format, std::string_view option) {
  const auto has = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), option) != std::end(list);
  };
  for (const WithoutEffect& one : format.without_effect)
    if (one.option == option) return false;
  return has(always_honoured) || has(format.options);
}

namespace {

/// Thresholds at which detections of file and weights are compared, whatever is in the file.
bool of_comparison(std::string_view option) {
  return option == "conf-thres" || option == "iou-thres";
}

/// Why an option that a format has changes nothing in this file; "" = it does.
std::string_view idle_reason(const Format& format, std::string_view option, bool suppression,
                             std::string_view qdq) {
  if (option == "qdq" && qdq == "ort" && format.name == "openvino")
    return "ONNX Runtime's form, which OpenVINO's own files do not have";
  for (const std::string_view one :
       {"conf-thres", "iou-thres", "topk-all", "topk-per-class", "agnostic-nms"})
    if (!suppression && option == one && (format.name != "openvino" || !of_comparison(one)))
      return of_comparison(one) ? "nothing is suppressed in the file; --nms and --end2end do that; "
                                  "the comparison takes it"
                                : "nothing is suppressed in the file; --nms and --end2end do that";
  return {};
}

}  // namespace

std::vector<std::string> options_without_effect(std::span<const Format* const> chosen,
                                                const std::vector<std::string>& given,
                                                bool suppression, std::string_view qdq) {
  std::vector<std::string> lines(chosen.size());
  for (const std::string& option : given) {
    bool taken = false;
    std::string expected = "a format that honours it";
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::string_view idle = honours(*chosen[i], option)
                                        ? idle_reason(*chosen[i], option, suppression, qdq)
                                        : std::string_view();
      if (honours(*chosen[i], option) && idle.empty()) {
        taken = true;
        continue;
      }
      std::string reason;
      if (!idle.empty()) reason = fmt::format(" ({})", idle);
      if (!idle.empty() && option != "qdq") expected = "--nms or --end2end with it";
      if (!idle.empty() && of_comparison(option)) taken = true;
      for (const WithoutEffect& one : chosen[i]->without_effect)
        if (one.option == option) {
          reason = fmt::format(" ({})", one.reason);
          if (!one.refused_alone) taken = true;
        }
      lines[i] += fmt::format("{}--{}{}", lines[i].empty() ? "" : ", ", option, reason);
    }
    if (taken) continue;
    std::vector<std::string> names;
    for (const Format* one : chosen) names.emplace_back(one->name);
    throw usage_error(fmt::format("export: --{}: expected {}, found {}", option, expected,
                                  text::join(names, ", ")));
  }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (!lines[i].empty())
      result.push_back(fmt::format("{}: without effect: {}", chosen[i]->name, lines[i]));
  return result;
}

std::string_view suppression_not_run(const Format& format, const ExportModel& model) {
  if (model.form <= OutputForm::decoded) return {};
  if (format.name == "saved_model" || format.name == "pb") return "TensorFlow's";
  const bool plugin = model.form == OutputForm::nms_plugin || format.name == "engine";
  return plugin ? "TensorRT's" : std::string_view();
}

}  // namespace yolov7::exporting
