#include "exporting/onnx_quantizers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using network::ActivationNumbers;
using network::ValueRole;
using Shape = std::vector<std::int64_t>;

constexpr std::string_view openvino_domain = "org.openvinotoolkit";

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

OnnxQuantizerForm onnx_quantizer_form(std::string_view name) {
  if (name == "tensorrt") return OnnxQuantizerForm::tensorrt;
  if (name == "asymmetric") return OnnxQuantizerForm::asymmetric;
  if (name == "ort") return OnnxQuantizerForm::ort;
  if (name == "openvino") return OnnxQuantizerForm::openvino;
  if (name == "openvino-tensorrt") return OnnxQuantizerForm::openvino_symmetric;
  throw usage_error(
      fmt::format("export: --qdq: expected asymmetric, tensorrt or ort, found '{}'", name));
}

ActivationNumbers OnnxQuantizers::numbers() const {
  return form_ == OnnxQuantizerForm::tensorrt || form_ == OnnxQuantizerForm::openvino_symmetric
             ? ActivationNumbers::symmetric
             : ActivationNumbers::asymmetric;
}

bool OnnxQuantizers::of_openvino() const {
  return form_ == OnnxQuantizerForm::openvino || form_ == OnnxQuantizerForm::openvino_symmetric;
}

bool OnnxQuantizers::wanted(ValueRole role) const {
  switch (role) {
    case ValueRole::real: return false;
    case ValueRole::quantized: return true;
    case ValueRole::carried:
    case ValueRole::inner: return form_ == OnnxQuantizerForm::ort;
  }
  return false;
}

std::vector<std::string> OnnxQuantizers::domains() const {
  if (plan_ == nullptr || !of_openvino()) return {};
  return {std::string(openvino_domain)};
}

std::string OnnxQuantizers::dequantized(const std::string& value, const std::string& scale,
                                        const std::string& zero, bool per_channel) {
  std::vector<std::string> inputs{value, scale};
  if (!zero.empty()) inputs.push_back(zero);
  std::vector<OnnxAttribute> attributes;
  if (per_channel) attributes.emplace_back("axis", std::int64_t{0});
  return graph_.node("DequantizeLinear", inputs, attributes);
}

std::string OnnxQuantizers::held(int number, const std::string& value) {
  if (plan_ == nullptr || !wanted(plan_->role(number))) return value;
  const network::ValueScale& scale = plan_->scale(number);
  const bool symmetric = numbers() == ActivationNumbers::symmetric;
  if (of_openvino()) {
    constexpr float least = -128, most = 127;
    const std::string low = graph_.floats({}, {symmetric ? least * scale.symmetric : scale.low()}),
                      high = graph_.floats({}, {symmetric ? most * scale.symmetric : scale.high()});
    const std::string name = value + "_quantized";
    graph_.node("FakeQuantize", openvino_domain, {value, low, high, low, high}, {name},
                {{"levels", std::int64_t{256}}});
    return name;
  }
  const std::string step = graph_.floats({}, {symmetric ? scale.symmetric : scale.scale});
  const char zero = symmetric ? '\0' : static_cast<char>(scale.zero_point);
  const std::string zero_point =
      graph_.numbers({}, symmetric ? OnnxType::int8 : OnnxType::uint8, {&zero, 1});
  return dequantized(graph_.node("QuantizeLinear", {value, step, zero_point}), step, zero_point,
                     false);
}

std::string OnnxQuantizers::weight(const network::Convolution& conv, const Shape& shape) {
  const network::QuantizedWeight weight = plan_->weight(conv, model_.fused->weights, numbers());
  const Shape channels{conv.out_channels};
  const std::string numbers = graph_.numbers(shape, OnnxType::int8, bytes_of(weight.numbers));
  if (of_openvino())
    return graph_.node("Mul", {graph_.cast(numbers, OnnxType::float32),
                               graph_.floats({conv.out_channels, 1, 1, 1}, weight.scales)});
  const std::string scales = graph_.floats(channels, weight.scales),
                    zero = graph_.numbers(channels, OnnxType::int8,
                                          std::string(weight.scales.size(), '\0'));
  return dequantized(numbers, scales, zero, true);
}

/// ONNX Runtime's convolution of integers takes an integer bias alone, in steps of the input's
/// scale times the weights'.
std::string OnnxQuantizers::bias(const network::Convolution& conv, int input) {
  const std::vector<float> bias = plan_->bias(conv, model_.fused->weights, numbers());
  const Shape channels{conv.out_channels};
  if (form_ != OnnxQuantizerForm::ort) return graph_.floats(channels, bias);
  const network::QuantizedWeight weight = plan_->weight(conv, model_.fused->weights, numbers());
  std::vector<float> steps;
  std::vector<std::int32_t> numbers;
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    steps.push_back(plan_->scale(input).scale * weight.scales[c]);
    const double number = std::nearbyint(static_cast<double>(bias[c]) / double{steps.back()});
    if (std::abs(number) > most)
      throw Error(fmt::format(
          "onnx: {}: channel {}: the bias {:g} does not fit into 32 bits in steps of {:g}; use "
          "--qdq tensorrt, whose biases are float32",
          conv.tensor, c, bias[c], steps.back()));
    numbers.push_back(static_cast<std::int32_t>(number));
  }
  const std::string zero =
      graph_.numbers(channels, OnnxType::int32, std::string(4 * bias.size(), '\0'));
  return dequantized(graph_.numbers(channels, OnnxType::int32, bytes_of(numbers)),
                     graph_.floats(channels, steps), zero, true);
}

}  // namespace yolov7::exporting
