#include "nn/initial_values.hpp"

#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "core/random.hpp"
#include "core/threads.hpp"
#include "network/config/mobile_blocks.hpp"

namespace yolov7::nn {
namespace {

using network::Operation;
using Role = network::TensorSpec::Role;

std::uint64_t fnv1a64(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

Random stream(std::uint64_t seed, const std::string& name) {
  const std::uint64_t hash = fnv1a64(name);
  return Random(seed, 0, static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32));
}

at::Tensor drawn(const std::vector<std::int64_t>& shape, const std::function<double()>& draw) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  double* values = tensor.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = draw();
  return tensor;
}

/// The convolution that a raw map comes from, directly or through its implicit multiplier.
const network::Convolution& head_convolution(const network::Network& network, int value) {
  for (const Operation& operation : network.operations)
    if (operation.output == value) {
      const auto* conv = operation.as<network::Convolution>();
      return conv != nullptr ? *conv : head_convolution(network, operation.inputs.front());
    }
  throw std::logic_error("a level without a convolution");
}

/// A Normalize layer does from the start what its configuration says.
void set_normalizations(TorchNetwork& target) {
  for (const Operation& operation : target.description().operations) {
    const auto* conv = operation.as<network::Convolution>();
    const auto& layers = target.description().layers;
    if (conv == nullptr || operation.inputs.front() != 0) continue;
    const auto given =
        network::image_normalization(layers[static_cast<std::size_t>(operation.layer)]);
    if (!given) continue;
    const auto set = [&](const char* name, const std::vector<double>& values) {
      at::Tensor tensor = target.tensor(conv->tensor + name);
      tensor.copy_(at::tensor(values, at::kDouble).view(tensor.sizes()));
    };
    set(".weight", given->scale);
    set(".bias", given->shift);
  }
}

}  // namespace

void initialize(TorchNetwork& target, std::uint64_t seed) {
  at::NoGradGuard no_gradient;
  const network::Network& network = target.description();
  std::unordered_map<std::string, double> bounds;  // ±1/√fan_in of convolution weights and biases
  for (const Operation& operation : network.operations) {
    const auto* conv = operation.as<network::Convolution>();
    if (conv == nullptr) continue;
    const double fan_in =
        static_cast<double>(conv->in_channels) / conv->groups * conv->kernel_h * conv->kernel_w;
    bounds[conv->tensor + ".weight"] = bounds[conv->tensor + ".bias"] = 1 / std::sqrt(fan_in);
  }
  const std::vector<TorchNetwork::Entry>& entries = target.entries();
  parallel_for(entries.size(), usable_cores(), [&](std::size_t i) {
    at::NoGradGuard no_gradient_here;
    const TorchNetwork::Entry& entry = entries[i];
    Random random = stream(seed, entry.spec.name);
    const auto bound = bounds.find(entry.spec.name);
    if (bound != bounds.end())
      entry.tensor.copy_(
          drawn(entry.spec.shape, [&] { return random.uniform(-bound->second, bound->second); }));
    else if (entry.spec.role == Role::implicit_add || entry.spec.role == Role::implicit_mul)
      entry.tensor.copy_(drawn(entry.spec.shape, [&] {
        return (entry.spec.role == Role::implicit_mul ? 1 : 0) + 0.02 * random.normal();
      }));
    else if (entry.spec.role == Role::bn_weight || entry.spec.role == Role::bn_var)
      entry.tensor.fill_(1);
    else if (entry.spec.role == Role::bn_bias || entry.spec.role == Role::bn_mean ||
             entry.spec.role == Role::bn_count)
      entry.tensor.zero_();
  });
  set_normalizations(target);
  const double class_bias = std::log(0.6 / (network.class_count - 0.99));
  for (const network::Level& level : network.levels) {
    const network::Convolution& conv = head_convolution(network, level.value);
    if (!conv.bias) continue;
    at::Tensor bias = target.tensor(conv.tensor + ".bias")
                          .view({network.anchors_per_level, network.outputs_per_anchor()});
    bias.select(1, 4).add_(std::log(8 / std::pow(640 / level.stride, 2)));
    bias.slice(1, 5).add_(class_bias);
  }
}

}  // namespace yolov7::nn
