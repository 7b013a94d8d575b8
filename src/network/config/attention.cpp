#include "network/config/attention.hpp"

namespace yolov7::network {

std::vector<std::string> attention_kinds() { return {"spatial", "spatial3", "pointwise"}; }

int lower_attention(Emitter& e, const std::string& kind, int input, const std::string& prefix) {
  const Activation sigmoid{ActivationKind::sigmoid, 0};
  if (kind == "pointwise")
    return e.multiply(input, e.conv_block(input, prefix, {e.channels(input), 1, 1}, sigmoid));
  const int kernel = kind == "spatial3" ? 3 : 7;
  const int statistics = e.concat({e.channel_mean(input), e.channel_max(input)});
  return e.multiply(
      input, e.activation(e.conv(statistics, prefix + "conv", {1, kernel, 1}, false), sigmoid));
}

}  // namespace yolov7::network
