#include "network/graph/cost.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

/// floor((size + 2 · padding − kernel) / stride) + 1, or 0 where the kernel does not fit.
int strided(int size, int kernel, int stride, int padding) {
  const int reach = size + 2 * padding - kernel;
  return reach < 0 ? 0 : reach / stride + 1;
}

void require_one_size(const Network& network, const Operation& op,
                      const std::vector<ValueSize>& sizes) {
  const ValueSize& size = sizes[static_cast<std::size_t>(op.inputs.at(0))];
  for (const int input : op.inputs) {
    const ValueSize& other = sizes[static_cast<std::size_t>(input)];
    if (other.height != size.height || other.width != size.width)
      throw Error(
          fmt::format("{}: layer {}: inputs of {} x {} and {} x {} pixels do not fit: expected "
                      "an image size that is a multiple of {}",
                      network.source, op.layer, size.height, size.width, other.height, other.width,
                      network.largest_stride()));
  }
}

ValueSize output_size(const Network& network, const Operation& op,
                      const std::vector<ValueSize>& sizes) {
  ValueSize size = sizes[static_cast<std::size_t>(op.inputs.at(0))];
  std::visit(Overloaded{
                 [&](const Convolution& conv) {
                   size.height = strided(size.height, conv.kernel_h, conv.stride, conv.pad_h);
                   size.width = strided(size.width, conv.kernel_w, conv.stride, conv.pad_w);
                 },
                 [&](const MaxPool& pool) {
                   size.height = strided(size.height, pool.kernel, pool.stride, pool.padding);
                   size.width = strided(size.width, pool.kernel, pool.stride, pool.padding);
                 },
                 [&](const Upsample&) { size.height *= 2, size.width *= 2; },
                 [&](const Reorg&) { size.height /= 2, size.width /= 2; },
                 [&](const OneOf<Concat, Add> auto&) { require_one_size(network, op, sizes); },
                 [](const OneOf<BatchNorm, Activate, Multiply, ImplicitAdd, ImplicitMultiply,
                                ChannelMean, ChannelMax> auto&) {},
             },
             op.primitive);
  size.channels = network.value_channels[static_cast<std::size_t>(op.output)];
  if (size.height < 1 || size.width < 1)
    throw Error(fmt::format("{}: layer {}: the image is too small: nothing is left of it",
                            network.source, op.layer));
  return size;
}

/// Pixels of its input a side that an output pixel is computed from.
int window(const Primitive& primitive) {
  return std::visit(
      Overloaded{
          [](const Convolution& conv) { return std::max(conv.kernel_h, conv.kernel_w); },
          [](const MaxPool& pool) { return pool.kernel; },
          [](const Reorg&) { return 2; },
          [](const OneOf<BatchNorm, Activate, Concat, Add, Multiply, Upsample, ImplicitAdd,
                         ImplicitMultiply, ChannelMean, ChannelMax> auto&) { return 1; },
      },
      primitive);
}

/// Side in pixels by value number: a window of k values that lie `reduction` pixels apart adds (k −
/// 1) · reduction.
std::vector<double> receptive_fields(const Network& network) {
  std::vector<double> fields(static_cast<std::size_t>(network.value_count), 1);
  for (const Operation& op : network.operations) {
    double widest = 0;
    for (const int input : op.inputs)
      widest = std::max(widest, fields[static_cast<std::size_t>(input)]);
    const double apart = network.value_reduction[static_cast<std::size_t>(op.inputs.at(0))];
    fields[static_cast<std::size_t>(op.output)] = widest + (window(op.primitive) - 1) * apart;
  }
  return fields;
}

std::vector<double> layer_fields(const Network& network) {
  const std::vector<double> fields = receptive_fields(network);
  std::vector<double> result;
  for (const Layer& layer : network.layers) {
    double widest = 0;
    for (const Level& level : network.levels)
      widest = std::max(widest, fields[static_cast<std::size_t>(level.value)]);
    result.push_back(layer.output_value < 0 ? widest
                                            : fields[static_cast<std::size_t>(layer.output_value)]);
  }
  return result;
}

std::int64_t bytes(const ValueSize& size) {
  return std::int64_t{4} * size.channels * size.height * size.width;
}

/// Whether the operation belongs to a branch that a fused RepConv does not have.
bool is_merged_branch(const Operation& op) {
  const Convolution* conv = op.as<Convolution>();
  const BatchNorm* norm = op.as<BatchNorm>();
  const RepBranch branch = conv != nullptr   ? conv->branch
                           : norm != nullptr ? norm->branch
                                             : RepBranch::none;
  return branch == RepBranch::point || branch == RepBranch::identity;
}

/// Whether the operation changes its input where it stands, or is gone, once the network is fused.
bool in_place(const Operation& op) {
  const Add* add = op.as<Add>();
  return (add != nullptr && !add->merged.empty()) || op.is<BatchNorm>() || op.is<Activate>() ||
         op.is<ImplicitAdd>() || op.is<ImplicitMultiply>();
}

std::int64_t inference_bytes(const Network& network, const std::vector<ValueSize>& sizes,
                             const std::vector<char>& needed) {
  std::vector<int> buffer(sizes.size(), 0), last_use(sizes.size(), 0);  // by value, by buffer
  for (std::size_t i = 0; i < sizes.size(); ++i) buffer[i] = static_cast<int>(i);
  const auto at = [&](int value) -> std::size_t {
    return static_cast<std::size_t>(buffer[static_cast<std::size_t>(value)]);
  };
  const int end = static_cast<int>(network.operations.size());
  std::vector<char> own(static_cast<std::size_t>(end), 0);
  for (int i = 0; i < end; ++i) {
    const Operation& op = network.operations[static_cast<std::size_t>(i)];
    if (needed[static_cast<std::size_t>(op.output)] == 0 || is_merged_branch(op)) continue;
    own[static_cast<std::size_t>(i)] = !in_place(op);
    if (own[static_cast<std::size_t>(i)] == 0)
      buffer[static_cast<std::size_t>(op.output)] = static_cast<int>(at(op.inputs[0]));
    for (const int input : op.inputs) last_use[at(input)] = i;
  }
  for (const Level& level : network.levels)
    if (!level.auxiliary) last_use[at(level.value)] = end;
  std::vector<std::vector<std::size_t>> dies(static_cast<std::size_t>(end) + 1);
  for (std::size_t b = 0; b < last_use.size(); ++b)
    dies[static_cast<std::size_t>(last_use[b])].push_back(b);
  std::int64_t alive = bytes(sizes[0]), most = alive;
  std::vector<char> made(sizes.size(), 0);
  made[0] = 1;
  for (int i = 0; i < end; ++i) {
    const Operation& op = network.operations[static_cast<std::size_t>(i)];
    if (own[static_cast<std::size_t>(i)] != 0) {
      made[at(op.output)] = 1;
      alive += bytes(sizes[static_cast<std::size_t>(op.output)]);
      most = std::max(most, alive);
    }
    for (const std::size_t b : dies[static_cast<std::size_t>(i)])
      if (made[b] != 0) alive -= bytes(sizes[b]), made[b] = 0;
  }
  return most;
}

std::int64_t training_bytes(const Network& network, const std::vector<ValueSize>& sizes) {
  const Links links(network);
  std::int64_t sum = bytes(sizes[0]);
  for (const Operation& op : network.operations) {
    const Operation* before = links.producer(op.inputs[0]);
    const bool behind_norm = op.is<Activate>() && before != nullptr && before->is<BatchNorm>();
    if (!behind_norm) sum += bytes(sizes[static_cast<std::size_t>(op.output)]);
  }
  return sum;
}

void add_convolution(Flops& flops, double outputs, double terms) {
  flops.gflops += 2 * outputs * terms * 1e-9;
  flops.with_bias += 2 * outputs * (terms + 1) * 1e-9;
}

}  // namespace

std::vector<ValueSize> value_sizes(const Network& network, int height, int width) {
  if (height < 1 || width < 1 || height > 65535 || width > 65535)
    throw Error(fmt::format("{}: expected an image of 1 to 65535 pixels a side, found {} x {}",
                            network.source, height, width));
  std::vector<ValueSize> sizes(static_cast<std::size_t>(network.value_count));
  sizes.at(0) = {3, height, width};
  for (const Operation& op : network.operations)
    sizes[static_cast<std::size_t>(op.output)] = output_size(network, op, sizes);
  return sizes;
}

Cost cost(const Network& network, int height, int width) {
  const std::vector<ValueSize> sizes = value_sizes(network, height, width);
  const std::vector<char> needed = needed_values(network);
  Cost result;
  result.picture_height = height;
  result.picture_width = width;
  result.parameters = network.parameter_count();
  result.layer_flops.resize(network.layers.size());
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr) continue;
    const ValueSize& size = sizes[static_cast<std::size_t>(op.output)];
    const double outputs = static_cast<double>(size.height) * size.width * conv->out_channels;
    const std::int64_t terms =
        std::int64_t{conv->in_channels} / conv->groups * conv->kernel_h * conv->kernel_w;
    add_convolution(result.flops, outputs, static_cast<double>(terms));
    add_convolution(result.layer_flops.at(static_cast<std::size_t>(op.layer)), outputs,
                    static_cast<double>(terms));
    // The 1×1 branch of a RepConv goes into its 3×3.
    if (needed[static_cast<std::size_t>(op.output)] == 0 || conv->branch == RepBranch::point)
      continue;
    add_convolution(result.fused_flops, outputs, static_cast<double>(terms));
    result.fused_parameters += (terms + 1) * conv->out_channels;
  }
  result.receptive_field = layer_fields(network);
  result.inference_activation_bytes = inference_bytes(network, sizes, needed);
  result.training_activation_bytes = training_bytes(network, sizes);
  for (const Layer& layer : network.layers)
    result.layer_sizes.push_back(
        layer.output_value < 0 ? ValueSize{} : sizes[static_cast<std::size_t>(layer.output_value)]);
  return result;
}

}  // namespace yolov7::network
