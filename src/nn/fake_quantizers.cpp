#include "nn/fake_quantizers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

std::size_t place(int value) { return static_cast<std::size_t>(value); }

bool is_quantized(const network::Quantization& plan, int value) {
  return plan.role(value) == network::ValueRole::quantized;
}

void require_folded(const network::Network& network, const network::QuantizationScales& scales) {
  if (!network::is_fused(network))
    throw Error(fmt::format("{}: expected a folded network to quantize, found batch-norms",
                            network.source));
  if (scales.values.size() != place(network.value_count))
    throw Error(fmt::format("{}: expected a scale for each of {} values, found {}", network.source,
                            network.value_count, scales.values.size()));
}

}  // namespace

FakeQuantizers::FakeQuantizers(const network::Network& network, network::QuantizationScales scales,
                               at::Device device)
    : scales_(std::move(scales)), range_of_(place(network.value_count), -1) {
  require_folded(network, scales_);
  plan_ = network::make_quantization(network, {}, network::result_convolutions(network));
  const std::vector<int> groups = network::scale_groups(network);
  std::map<int, std::vector<int>> members;  // by group
  for (int value = 0; value < network.value_count; ++value)
    if (is_quantized(plan_, value)) members[groups[place(value)]].push_back(value);
  for (const auto& [group, values] : members) {
    const network::ValueScale& scale = scales_.values[place(values.front())];
    if (!(scale.scale > 0) || !std::isfinite(scale.scale))
      throw Error(fmt::format("{}: value {}: expected a scale above 0, found {}", network.source,
                              values.front(), scale.scale));
    if (values == std::vector<int>{0}) continue;  // bytes are exact
    for (int value = 0; value < network.value_count; ++value)
      if (groups[place(value)] == group) range_of_[place(value)] = static_cast<int>(ranges_.size());
    ranges_.push_back({fmt::format("quantizer.{}.log_scale", values.front()),
                       at::full({1}, std::log(scale.scale), at::dtype(at::kFloat).device(device))
                           .requires_grad_(true),
                       {scale.zero_point, scale.most}});
  }
}

at::Tensor FakeQuantizers::value(int number, const at::Tensor& x) const {
  if (!is_quantized(plan_, number)) return x;
  const int range = range_of_[place(number)];
  if (range < 0) {
    const network::ValueScale& scale = scales_.values[place(number)];
    return kernels::quantized_by(x, scale.scale, {scale.zero_point, scale.most});
  }
  const Range& one = ranges_[place(range)];
  // Numbers of one image and the largest integer (same paper, section 2.2).
  const double size =
      static_cast<double>(x.numel()) / static_cast<double>(std::max<std::int64_t>(x.size(0), 1));
  return kernels::fake_quantize(x, one.log_scale, one.numbers,
                                1 / std::sqrt(std::max(size * one.numbers.most, 1.0)));
}

at::Tensor FakeQuantizers::weight(const network::Convolution& conv,
                                  const at::Tensor& weight) const {
  return plan_.quantizes(conv) ? kernels::fake_quantize_weight(weight, scales_.per_tensor) : weight;
}

void FakeQuantizers::learn(bool on) {
  learns_ = on;
  for (const Range& one : ranges_) at::Tensor(one.log_scale).requires_grad_(on);
}

network::QuantizationScales FakeQuantizers::scales() const {
  network::QuantizationScales now = scales_;
  for (std::size_t value = 0; value < now.values.size(); ++value) {
    if (range_of_[value] < 0) continue;
    network::ValueScale& scale = now.values[value];
    scale.scale = kernels::scale_of(ranges_[place(range_of_[value])].log_scale);
    scale.symmetric = std::max(-scale.low() / 128, scale.high() / 127);
  }
  return now;
}

void FakeQuantizers::store(network::Weights& weights) const {
  for (const Range& one : ranges_) weights.set(one.name, to_plain(one.log_scale));
}

void FakeQuantizers::load(const network::Weights& weights) const {
  at::NoGradGuard no_gradient;
  for (const Range& one : ranges_) {
    const network::Tensor& stored = weights.at(one.name);
    if (stored.elements() != 1)
      throw Error(fmt::format("{}: expected one number, found {}", one.name, stored.elements()));
    at::Tensor(one.log_scale).copy_(view_of(stored));
  }
}

}  // namespace yolov7::nn
