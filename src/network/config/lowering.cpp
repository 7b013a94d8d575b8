#include "network/config/lowering.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
using Role = TensorSpec::Role;

Emitter::Emitter(Network& network, const BuildLimits& limits) : network_(network), limits_(limits) {
  value(3, 3, 1);  // the picture
}

void Emitter::fail(const std::string& reason) const {
  throw Error(fmt::format("{}: layer {} ({}): {}", place, layer,
                          text::printable(block.substr(0, 200)), reason));
}

std::string Emitter::unused_width() const {
  for (const auto& [name, width] : widths_)
    if (used_widths_.count(name) == 0) return name;
  return {};
}

int Emitter::value(int channels, int nominal, double reduction) {
  network_.value_channels.push_back(channels);
  nominal_.push_back(nominal);
  network_.value_reduction.push_back(reduction);
  return network_.value_count++;
}

int Emitter::like_input(Primitive primitive, std::vector<int> inputs, double reduction) {
  const int from = inputs.front();
  return operation(std::move(primitive), std::move(inputs), width(from), channels(from), reduction);
}

int Emitter::operation(Primitive primitive, std::vector<int> inputs, int channels, int nominal,
                       double reduction) {
  if (channels < 1 || channels > limits_.channels)
    fail(fmt::format("expected 1 to {} channels, found {}", limits_.channels, channels));
  // Sizes of maps are ints: picture sides of 65535 at 16 times the size still fit.
  if (!(reduction >= 1.0 / 16 && reduction <= 65536))
    fail(fmt::format("expected maps of 1/65536 to 16 times the image's side, found a stride of {}",
                     reduction));
  const int output = value(channels, nominal, reduction);
  network_.operations.push_back({std::move(primitive), std::move(inputs), output, layer});
  return output;
}

void Emitter::tensor(std::string name, Role role, std::vector<std::int64_t> shape) {
  TensorSpec spec{std::move(name), role, std::move(shape)};
  std::int64_t elements = 1;
  for (const std::int64_t side : spec.shape) elements *= side;
  parameters_ += elements;
  if (parameters_ > limits_.parameters)
    fail(fmt::format("expected at most {} parameters, found more", limits_.parameters));
  network_.tensors.push_back(std::move(spec));
}

/// The output must be the input's size over the stride wherever that divides: −stride ≤ 2 · padding
/// − kernel < 0. Strides, decoding and the check of concatenations rest on it.
void Emitter::check_window(int kernel, int stride, int padding) const {
  if (2 * padding >= kernel || 2 * padding < kernel - stride)
    fail(
        fmt::format("kernel {}, stride {} and padding {} do not give an output of the input's size "
                    "divided by the stride",
                    kernel, stride, padding));
}

int Emitter::conv(int input, const std::string& name, const ConvShape& shape, bool bias,
                  RepBranch branch) {
  const int in = width(input);
  const int kh = shape.kernel, kw = shape.kernel_w > 0 ? shape.kernel_w : shape.kernel;
  for (const int kernel : {kh, kw})
    if (kernel < 1 || kernel > 1000)
      fail(fmt::format("expected a kernel of 1 to 1000, found {}", kernel));
  if (shape.stride < 1 || shape.stride > 64)
    fail(fmt::format("expected a stride of 1 to 64, found {}", shape.stride));
  const int pad_h = shape.padding >= 0 ? shape.padding : kh / 2,
            pad_w = shape.padding >= 0 ? shape.padding : kw / 2;
  check_window(kh, shape.stride, pad_h);
  check_window(kw, shape.stride, pad_w);
  int out = shape.out_channels;
  if (const auto given = widths_.find(name); given != widths_.end()) {
    out = given->second;
    used_widths_.insert(name);
  }
  // A depthwise convolution stays one: its groups are its channels.
  const int groups = shape.groups > 1 && shape.groups == channels(input) ? in : shape.groups;
  if (groups < 1 || in % groups != 0 || out % groups != 0)
    fail(fmt::format("{} groups do not divide {} input and {} output channels", groups, in, out));
  Convolution conv;
  conv.tensor = name;
  conv.in_channels = in;
  conv.out_channels = out;
  conv.kernel_h = kh;
  conv.kernel_w = kw;
  conv.stride = shape.stride;
  conv.pad_h = pad_h;
  conv.pad_w = pad_w;
  conv.groups = groups;
  conv.bias = bias;
  conv.branch = branch;
  const int output =
      operation(std::move(conv), {input}, out, shape.out_channels, reduction(input) * shape.stride);
  tensor(name + ".weight", Role::weight, {out, in / groups, kh, kw});
  if (bias) tensor(name + ".bias", Role::bias, {out});
  return output;
}

int Emitter::head_conv(int input, const std::string& name, int out_channels) {
  Convolution conv;
  conv.tensor = name;
  conv.in_channels = width(input);
  conv.out_channels = out_channels;
  conv.bias = true;
  return operation(std::move(conv), {input}, out_channels, out_channels, reduction(input));
}

int Emitter::batch_norm(int input, const std::string& prefix, RepBranch branch) {
  const int c = width(input);
  const int output = like_input(BatchNorm{prefix, c, branch}, {input}, reduction(input));
  tensor(prefix + ".weight", Role::bn_weight, {c});
  tensor(prefix + ".bias", Role::bn_bias, {c});
  tensor(prefix + ".running_mean", Role::bn_mean, {c});
  tensor(prefix + ".running_var", Role::bn_var, {c});
  tensor(prefix + ".num_batches_tracked", Role::bn_count, {});
  return output;
}

int Emitter::activation(int input, const Activation& activation) {
  if (activation.kind == ActivationKind::identity) return input;
  return like_input(Activate{activation}, {input}, reduction(input));
}

int Emitter::conv_block(int input, const std::string& prefix, const ConvShape& shape,
                        const Activation& act) {
  return activation(batch_norm(conv(input, prefix + "conv", shape, false), prefix + "bn"), act);
}

int Emitter::max_pool(int input, int kernel, int stride, int padding) {
  if (kernel < 1 || kernel > 1000 || stride < 1)
    fail(fmt::format("expected a kernel of 1 to 1000 and a stride of at least 1, found {} and {}",
                     kernel, stride));
  check_window(kernel, stride, padding);
  return like_input(MaxPool{kernel, stride, padding}, {input}, reduction(input) * stride);
}

int Emitter::concat(const std::vector<int>& inputs) {
  std::int64_t sum = 0, nominal = 0;
  for (const int input : inputs) {
    sum += width(input);
    nominal += channels(input);
    if (reduction(input) != reduction(inputs[0]))
      fail(fmt::format("inputs of different size: stride {} and {}", reduction(inputs[0]),
                       reduction(input)));
  }
  const auto whole = [](std::int64_t count) {
    return static_cast<int>(std::min<std::int64_t>(count, 1 << 30));
  };
  return operation(Concat{}, inputs, whole(sum), whole(nominal), reduction(inputs[0]));
}

int Emitter::add(const std::vector<int>& inputs, const std::string& merged) {
  for (const int input : inputs)
    if (width(input) != width(inputs[0]) || reduction(input) != reduction(inputs[0]))
      fail(
          fmt::format("expected inputs of one shape, found {} and {} channels at strides {} and {}",
                      width(inputs[0]), width(input), reduction(inputs[0]), reduction(input)));
  return like_input(Add{merged}, inputs, reduction(inputs[0]));
}

int Emitter::upsample(int input) { return like_input(Upsample{}, {input}, reduction(input) / 2); }
int Emitter::reorg(int input) {
  return operation(Reorg{}, {input}, width(input) * 4, channels(input) * 4, reduction(input) * 2);
}

int Emitter::implicit_add(int input, const std::string& name) {
  return like_input(ImplicitAdd{name, width(input)}, {input}, reduction(input));
}
int Emitter::implicit_mul(int input, const std::string& name) {
  return like_input(ImplicitMultiply{name, width(input)}, {input}, reduction(input));
}

int Emitter::channel_mean(int input) {
  return operation(ChannelMean{}, {input}, 1, 1, reduction(input));
}
int Emitter::channel_max(int input) {
  return operation(ChannelMax{}, {input}, 1, 1, reduction(input));
}

int Emitter::multiply(int input, int gate) {
  if ((width(gate) != width(input) && width(gate) != 1) || reduction(gate) != reduction(input))
    fail("expected a gate of the input's shape or of one channel");
  return like_input(Multiply{}, {input, gate}, reduction(input));
}

}  // namespace yolov7::network
