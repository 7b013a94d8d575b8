#pragma once
// Networks of one or two operations, put together by hand, whose only level shows the operation's
// result.
#include <string>
#include <utility>
#include <vector>

#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::testing {

class HandNetwork {
 public:
  HandNetwork() {
    network_.source = "hand-made";
    network_.value_count = 1;
  }

  /// Appends an operation on earlier values; returns the number of its result.
  int add(network::Primitive primitive, std::vector<int> inputs) {
    const int output = network_.value_count++;
    network_.operations.push_back({std::move(primitive), std::move(inputs), output, 0});
    return output;
  }
  int conv(int input, int in, int out, const std::vector<float>& weight,
           const std::vector<float>& bias, int kernel = 1, int stride = 1, int groups = 1) {
    return padded_conv(input, in, out, weight, bias, kernel, stride, groups, kernel / 2);
  }
  int padded_conv(int input, int in, int out, const std::vector<float>& weight,
                  const std::vector<float>& bias, int kernel, int stride, int groups, int padding) {
    network::Convolution conv;
    conv.tensor = next_tensor("conv");
    conv.in_channels = in, conv.out_channels = out, conv.groups = groups;
    conv.bias = !bias.empty();
    conv.kernel_h = conv.kernel_w = kernel, conv.stride = stride;
    conv.pad_h = conv.pad_w = padding;
    set(conv.tensor + ".weight", weight, {out, in / groups, kernel, kernel});
    if (conv.bias) set(conv.tensor + ".bias", bias, {out});
    return add(conv, {input});
  }
  /// BatchNorm, ImplicitAdd or ImplicitMultiply, its tensors under `parts`, one value per channel.
  template <class P>
  int per_channel(int input, int channels,
                  const std::vector<std::pair<std::string, std::vector<float>>>& parts) {
    P primitive;
    primitive.tensor = next_tensor("x");
    primitive.channels = channels;
    for (const auto& [part, values] : parts)
      set(primitive.tensor + part, values, {static_cast<std::int64_t>(values.size())});
    return add(primitive, {input});
  }
  int activation(network::ActivationKind kind, int input, double slope = 0) {
    return add(network::Activate{{kind, slope}}, {input});
  }
  /// `value` has anchors × (5 + class_count) channels.
  void level(int value, double stride, int class_count,
             std::vector<network::AnchorSize> anchors = {{10, 20}}) {
    network_.class_count = class_count;
    network_.anchors_per_level = static_cast<int>(anchors.size());
    network::Level level;
    level.value = value, level.stride = stride, level.anchors = std::move(anchors);
    network_.levels.push_back(std::move(level));
  }

  const network::Network& network() const { return network_; }
  const network::Weights& weights() const { return weights_; }

 private:
  std::string next_tensor(const char* name) const {
    return "model." + std::to_string(network_.operations.size()) + "." + name;
  }
  void set(const std::string& name, const std::vector<float>& values,
           std::vector<std::int64_t> shape) {
    weights_.set(name, network::Tensor::from(values, std::move(shape)));
  }

  network::Network network_;
  network::Weights weights_;
};

}  // namespace yolov7::testing
