#include "cli/verbs/quantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "compression/plan/calibration_images.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "equivalence/certificate.hpp"
#include "exporting/write_format.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/chart.hpp"
#include "network/transform/stored_ranges.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using compression::NumberForm;
using exporting::ExportOptions;
using exporting::Format;
using nlohmann::json;

struct Listed {
  std::vector<fs::path> images;
  std::string from;  // "the train split of data.yaml"
};

Listed images_of_data(const ExportOptions& options) {
  const dataset::Description description =
      dataset::open_data(options.data, {false, false, 0, interrupt::token()});
  const std::string split = description.split("train").empty() ? "val" : "train";
  const dataset::Index index =
      dataset::read_index(description, split, {false, false, false, false, 0, interrupt::token()});
  Listed listed{
      {}, fmt::format("the {} split of {}", split, fs::path(options.data).filename().string())};
  for (const dataset::Entry& entry : index.entries) listed.images.push_back(entry.picture);
  return listed;
}

Listed images_of_folder(const ExportOptions& options) {
  Listed listed{{}, options.images};
  for (const runtime::SourcePicture& one : runtime::list_pictures(options.images, "images"))
    listed.images.push_back(one.path);
  return listed;
}

Listed calibration_images(const ExportOptions& options) {
  Listed listed = options.data.empty() ? images_of_folder(options) : images_of_data(options);
  require_calibration(listed.images.size(), listed.from);
  listed.images = compression::some_images(std::move(listed.images),
                                           static_cast<std::size_t>(options.calib_images));
  return listed;
}

compression::RangeMethod method(const std::string& name) {
  if (name == "minmax") return compression::RangeMethod::extremes;
  if (name == "percentile") return compression::RangeMethod::percentile;
  return compression::RangeMethod::squared_error;
}

/// What a format makes of the plan.
NumberForm form_of(const Format& format, const ExportOptions& options) {
  using network::ActivationNumbers;
  if (format.name == "engine") return {ActivationNumbers::symmetric, false};
  if (format.name == "openvino" && options.qdq == "tensorrt")
    return {ActivationNumbers::symmetric, false};
  if (format.name == "onnx")
    return options.qdq == "tensorrt"
               ? NumberForm{ActivationNumbers::symmetric, false}
               : NumberForm{ActivationNumbers::asymmetric, options.qdq == "ort"};
  return {ActivationNumbers::asymmetric, format.name == "tflite"};
}

/// What the weights were trained with takes the place of a calibration. Nothing: a float32 network.
std::shared_ptr<const network::QuantizationScales> trained_scales(const ExportOptions& options,
                                                                  const ExportSource& source) {
  if (source.ranges.empty()) return nullptr;
  network::StoredRanges ranges =
      network::stored_ranges(source.ranges, source.model.network(), options.weights);
  if (ranges.activation_bits != 8)
    throw Error(fmt::format(
        "{}: it was trained for activations of {} bits, an experiment: expected 8, which files "
        "have",
        options.weights, ranges.activation_bits));
  if (options.per_tensor && !ranges.scales.per_tensor)
    throw usage_error(fmt::format(
        "--per-tensor: {} was trained with one scale an output channel, and its ranges are taken",
        options.weights));
  if (options.effort == "high")
    throw usage_error(fmt::format(
        "--effort high: expected weights that were trained in float32, found {}, which was trained "
        "for integers: its numbers are taken as they are",
        options.weights));
  return std::make_shared<const network::QuantizationScales>(std::move(ranges.scales));
}

/// By the plan, for which ranges have to be known.
bool gets_integers(const ExportOptions& options, const Format& format) {
  return options.int8 && exporting::honours(format, "int8") && format.read_weights == nullptr;
}

/// In order of execution: those that the plan leaves, and those whose results are decoded.
std::vector<std::string> real_layers(const compression::Quantized& quantized) {
  std::vector<std::string> names;
  for (const network::Operation& op : quantized.fused->network.operations)
    if (const auto* conv = op.as<network::Convolution>())
      if (!quantized.plan->quantizes(*conv)) names.push_back(conv->tensor);
  return names;
}

/// One line for each kind of numbers that --effort high tried.
std::vector<std::string> refit_lines(const compression::Quantized& quantized) {
  std::vector<std::string> lines;
  for (const compression::Refit& one : quantized.refits)
    lines.push_back(fmt::format(
        "{}{} of {} convolutions fitted better; rows of {} other images: change {:.4f} before, "
        "{:.4f} after: {}",
        one.numbers == network::ActivationNumbers::symmetric ? "around zero: " : "",
        std::ranges::count_if(one.layers, &compression::FittedLayer::kept), one.layers.size(),
        one.images, one.before.sum(), one.after.sum(), one.kept ? "kept" : "left out"));
  return lines;
}

json refits_json(const compression::Quantized& quantized) {
  json all = json::array();
  for (const compression::Refit& one : quantized.refits) {
    json layers = json::array();
    for (const compression::FittedLayer& layer : one.layers)
      layers.push_back(
          {{"tensor", layer.tensor}, {"error_before", layer.before}, {"error_after", layer.after}});
    const auto change = [](const compression::OutputChange& c) {
      return json{{"box", c.box}, {"score", c.score}};
    };
    const bool symmetric = one.numbers == network::ActivationNumbers::symmetric;
    all.push_back({{"numbers", symmetric ? "symmetric" : "asymmetric"},
                   {"kept", one.kept},
                   {"images", one.images},
                   {"change_before", change(one.before)},
                   {"change_after", change(one.after)},
                   {"convolutions", layers}});
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> facts(const compression::Quantized& quantized,
                                                       const Listed& listed,
                                                       const ExportOptions& options, bool trained) {
  const std::string images = fmt::format("{} images of {}", listed.images.size(), listed.from);
  std::vector<std::pair<std::string, std::string>> all = {
      {"calibration", trained ? "none: ranges of the training" : images},
      {"method", trained ? "trained" : options.calib_method},
      {"integer_share", fmt::format("{:.4f}", quantized.integer_share)},
      {"float32_layers", text::join(real_layers(quantized), ", ")}};
  if (!quantized.refits.empty())
    all.emplace_back("effort high", text::join(refit_lines(quantized), "; "));
  return all;
}

cv::Mat chart(const compression::Quantized& quantized) {
  ChartLine integers{"int8", {}, ChartMark::dots}, real{"float32", {}, ChartMark::cross};
  double number = 0;
  for (const compression::LayerSensitivity& one : quantized.layers) {
    const cv::Point2d at{number++, one.change.sum()};
    (quantized.fallback.real.contains(one.tensor) ? real : integers).points.push_back(at);
  }
  return chart_picture({1200, 600}, {"change of the output when one convolution alone is quantized",
                                     "convolution, in order of execution",
                                     {integers, real}});
}

/// The ten that cost most.
void print_layers(const compression::Quantized& quantized, const Output& output) {
  constexpr std::size_t most = 10;
  const auto order = compression::by_change(quantized.layers);
  output.line(fmt::format("{:<32} {:>12} {:>12} {:>8}", "most sensitive convolutions", "boxes",
                          "scores", "kept in"));
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i)
    output.line(
        fmt::format("{:<32} {:>12.6f} {:>12.6f} {:>8}", order[i].tensor, order[i].change.box,
                    order[i].change.score,
                    quantized.fallback.real.contains(order[i].tensor) ? "float32" : "int8"));
}

void print_speed(const compression::QuantizedSpeed& speed, const Output& output) {
  output.line(fmt::format(
      "int8: one thread, one image: float32 {:.1f} ms, {}int8 {:.1f} ms ({:.2f} x float32)",
      speed.float32,
      speed.bfloat16 > 0 ? fmt::format("bfloat16 {:.1f} ms, ", speed.bfloat16) : std::string(),
      speed.integers, speed.float32 / speed.integers));
  if (speed.all_integers < speed.integers)
    output.line(fmt::format("int8: the layers in float32 cost {:.1f} ms of {:.1f}",
                            speed.integers - speed.all_integers, speed.integers));
  if (speed.bfloat16 > 0 && speed.bfloat16 < speed.integers)
    output.line(
        "int8: bfloat16 is faster on this processor and needs no calibration: detect --precision "
        "bfloat16");
}

json speed_json(const compression::QuantizedSpeed& speed) {
  json all = {{"float32_ms", speed.float32},
              {"int8_ms", speed.integers},
              {"all_int8_ms", speed.all_integers}};
  if (speed.bfloat16 > 0) all["bfloat16_ms"] = speed.bfloat16;
  return all;
}

}  // namespace

bool wants_integers(const ExportOptions& options, const std::vector<const Format*>& chosen) {
  return std::ranges::any_of(chosen,
                             [&](const Format* one) { return gets_integers(options, *one); });
}

void require_checkpoint(const ExportOptions& options) {
  if (!runtime::is_model_file(options.weights)) return;
  const fs::path paper = equivalence::file_certificate_path(options.weights);
  if (fs::exists(paper) && read_json(paper).value("precision", "") == "int8")
    throw Error(
        fmt::format("{}: it is quantized already, as its certificate says; expected the "
                    "checkpoint that it was made from",
                    options.weights));
  throw Error(
      fmt::format("{}: expected a checkpoint to quantize, found a model file of another form",
                  options.weights));
}

SensitivityFiles sensitivity_files(const ExportOptions& options) {
  const fs::path weights(options.weights);
  const fs::path stem = (options.out.empty() ? weights.parent_path() : fs::path(options.out)) /
                        (weights.stem().string() + "-int8.sensitivity");
  return {stem.string() + ".csv", stem.string() + ".png"};
}

void require_calibration(std::size_t images, const std::string& from) {
  constexpr std::size_t least = 10;
  if (images < least)
    throw Error(fmt::format("calibration: expected at least {} images, found {} in {}", least,
                            images, from));
}

void require_provable(double budget, std::size_t labels, const std::string& split) {
  const double least = 0.1 / static_cast<double>(labels);
  if (budget < least)
    throw Error(fmt::format(
        "--accuracy-budget {:g}: expected at least {:.1g}: one box at one IoU threshold counts "
        "so much with the {} labels of the {} split; nothing is written",
        budget, least, labels, split));
}

compression::Quantized quantize_source(const ExportOptions& options,
                                       const std::vector<const Format*>& chosen,
                                       ExportSource& source, ParentModel& parent) {
  const Listed listed = calibration_images(options);
  compression::QuantizeRequest request;
  request.fused = source.model.fused;
  request.images = compression::letterboxed(listed.images, source.model.height, source.model.width);
  request.calibration = {.method = method(options.calib_method),
                         .per_tensor = options.per_tensor,
                         .known = trained_scales(options, source),
                         .stop = interrupt::token()};
  for (const Format* one : chosen)
    if (gets_integers(options, *one)) request.forms.insert(form_of(*one, options));
  request.calibration.inner = std::ranges::any_of(request.forms, &NumberForm::inner);
  if (request.calibration.known)
    log::info(fmt::format(
        "int8: the ranges are those that the weights were trained with; there is no calibration{}",
        request.calibration.inner
            ? " but of values between a convolution and its activation, which a format needs"
            : ""));
  request.budget = options.accuracy_budget;
  request.refit = options.effort == "high";
  request.sensitivity = options.sensitivity;
  const std::string breach =
      compression::channel_order_breach(*equivalence::OpenParent(parent.parent()), request.images);
  if (!breach.empty()) throw Error(breach);
  if (FileAccuracy* accuracy = parent.accuracy()) {
    require_provable(options.accuracy_budget, accuracy->labels(), options.split);
    request.lost = [accuracy, &model = source.model](runtime::Detector& detector) {
      return accuracy->lost(detector, model.dynamic_size
                                          ? runtime::InputSides{}
                                          : runtime::InputSides{model.height, model.width});
    };
  } else {
    log::warning("int8: there are no labelled images (--data): the accuracy is not measured");
  }
  compression::Quantized quantized = compression::quantize(request);
  source.model.quantization = quantized.plan;
  source.model.equalized = quantized.fused;
  source.model.quantization_facts =
      facts(quantized, listed, options, request.calibration.known != nullptr);
  return quantized;
}

json report_quantization(const ExportOptions& options, const compression::Quantized& quantized,
                         const Output& output) {
  const std::size_t integers = quantized.plan->convolutions.size(),
                    all = integers + real_layers(quantized).size();
  output.line(fmt::format(
      "int8: {} of {} convolutions, {:.1f} % of the multiply-adds, are in 8-bit integers", integers,
      all, 100 * quantized.integer_share));
  for (const std::string& line : refit_lines(quantized)) output.line("int8: effort high: " + line);
  print_speed(quantized.speed, output);
  json layers = json::array(), trials = json::array();
  for (const compression::LayerSensitivity& one : quantized.layers)
    layers.push_back({{"layer", one.layer},
                      {"tensor", one.tensor},
                      {"multiply_adds", one.multiply_adds},
                      {"box_change", one.change.box},
                      {"score_change", one.change.score}});
  for (const compression::FallbackTrial& one : quantized.fallback.trials)
    trials.push_back({{"float32_layers", one.real_layers}, {"map_lost", one.lost}});
  json result = {{"convolutions", all},
                 {"integer_convolutions", integers},
                 {"integer_share", quantized.integer_share},
                 {"float32_layers", real_layers(quantized)},
                 {"trials", trials},
                 {"layers", layers},
                 {"refits", refits_json(quantized)},
                 {"speed", speed_json(quantized.speed)}};
  if (quantized.layers.empty()) return result;
  print_layers(quantized, output);
  const SensitivityFiles files = sensitivity_files(options);
  file::make_folder(fs::absolute(files.table).parent_path());
  file::write_atomically(files.table, compression::sensitivity_csv(quantized));
  write_picture(files.chart, chart(quantized));
  output.line(fmt::format("int8: all layers: {}, {}", files.table.string(), files.chart.string()));
  result["table"] = files.table.string(), result["chart"] = files.chart.string();
  return result;
}

}  // namespace yolov7::cli
