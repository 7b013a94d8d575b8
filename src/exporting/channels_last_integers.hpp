#pragma once
// The 8-bit integers of a quantized network on channels-last tensors: integer convolutions give
// integers alone, so a convolution whose result is decoded in float32 is computed in float32 (its
// outputs would share one scale for boxes and scores).
#include <map>
#include <vector>

#include "exporting/channels_last_builder.hpp"

namespace yolov7::exporting {

class ChannelsLastIntegers {
 public:
  using Value = ChannelsLastValue;
  using Inputs = std::vector<Value>;
  /// Does nothing where the builder's model has no quantization.
  explicit ChannelsLastIntegers(ChannelsLastBuilder& builder)
      : builder_(builder), plan_(builder.model().quantization.get()) {}

  /// Whether the operation's result is computed, or moved, in integers.
  bool gives_integers(const network::Operation& operation) const;
  /// The value in integers; made of `real` where it is not there yet.
  Value integers(int number, const Value& real);
  void set(int number, const Value& integers) { values_[number] = integers; }
  /// Of a value that is there in integers alone.
  Value made_real(int number);
  /// Whether a quantizer stands directly behind what makes the value.
  bool is_quantized(int value) const {
    return plan_ != nullptr && plan_->role(value) == network::ValueRole::quantized;
  }
  /// Whether it is a convolution with rounded inputs and weights whose result is float32.
  bool rounds(const network::Operation& operation) const;
  /// What the plan makes of a convolution's weights, in float32, and its bias.
  network::Tensor rounded_weight(const network::Convolution& conv) const;
  std::vector<float> bias(const network::Convolution& conv) const;
  /// Of an operation that computes.
  Value computed(const network::Operation& operation, const Inputs& in);

 private:
  Value convolution(const network::Convolution& conv, int input, int output, const Value& in);
  Value activation(const network::Activate& activate, int output, const Value& in);

  ChannelsLastBuilder& builder_;
  const network::Quantization* plan_;
  std::map<int, Value> values_;
};

}  // namespace yolov7::exporting
