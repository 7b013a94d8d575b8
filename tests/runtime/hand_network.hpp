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
  int add(network::Operation operation, std::vector<int> inputs) {
    operation.inputs = std::move(inputs);
    operation.output = network_.value_count++;
    network_.operations.push_back(std::move(operation));
    return network_.value_count - 1;
  }
  int conv(int input, int in, int out, const std::vector<float>& weight,
           const std::vector<float>& bias, int kernel = 1, int stride = 1, int groups = 1) {
    network::Operation op;
    op.kind = network::Operation::Kind::conv;
    op.tensor = "model." + std::to_string(network_.operations.size()) + ".conv";
    op.in_channels = in, op.out_channels = out, op.groups = groups, op.bias = !bias.empty();
    op.kernel_h = op.kernel_w = kernel, op.stride = stride, op.pad_h = op.pad_w = kernel / 2;
    weights_.set(op.tensor + ".weight",
                 network::Tensor::from(weight, {out, in / groups, kernel, kernel}));
    if (op.bias) weights_.set(op.tensor + ".bias", network::Tensor::from(bias, {out}));
    return add(op, {input});
  }
  int simple(network::Operation::Kind kind, std::vector<int> inputs) {
    network::Operation op;
    op.kind = kind;
    return add(op, std::move(inputs));
  }
  /// batch_norm, implicit_add, implicit_mul: its tensors under `parts`, one value per channel.
  int per_channel(network::Operation::Kind kind, int input, int channels,
                  const std::vector<std::pair<std::string, std::vector<float>>>& parts) {
    network::Operation op;
    op.kind = kind;
    op.tensor = "model." + std::to_string(network_.operations.size()) + ".x";
    op.in_channels = op.out_channels = channels;
    for (const auto& [part, values] : parts)
      weights_.set(op.tensor + part,
                   network::Tensor::from(values, {static_cast<std::int64_t>(values.size())}));
    return add(op, {input});
  }
  int activation(network::ActivationKind kind, int input, double slope = 0) {
    network::Operation op;
    op.kind = network::Operation::Kind::activation;
    op.activation = {kind, slope};
    return add(op, {input});
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
  network::Network network_;
  network::Weights weights_;
};

}  // namespace yolov7::testing
