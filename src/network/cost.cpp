#include "network/cost.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::network {
namespace {

using Kind = Operation::Kind;

/// floor((size + 2 · padding − kernel) / stride) + 1, or 0 where the kernel does not fit.
int strided(int size, int kernel, int stride, int padding) {
  const int reach = size + 2 * padding - kernel;
  return reach < 0 ? 0 : reach / stride + 1;
}

ValueSize output_size(const Network& network, const Operation& op, const std::vector<ValueSize>& sizes) {
  ValueSize size = sizes[static_cast<std::size_t>(op.inputs.at(0))];
  switch (op.kind) {
    case Kind::conv:
    case Kind::max_pool:
      size.height = strided(size.height, op.kernel_h, op.stride, op.pad_h);
      size.width = strided(size.width, op.kernel_w, op.stride, op.pad_w);
      break;
    case Kind::upsample: size.height *= 2, size.width *= 2; break;
    case Kind::reorg: size.height /= 2, size.width /= 2; break;
    case Kind::concat:
    case Kind::add:
      for (const int input : op.inputs) {
        const ValueSize& other = sizes[static_cast<std::size_t>(input)];
        if (other.height != size.height || other.width != size.width)
          throw Error(fmt::format("{}: layer {}: inputs of {} x {} and {} x {} pixels do not fit: expected a picture size that is a multiple of {}",
                                  network.source, op.layer, size.height, size.width, other.height, other.width, network.largest_stride()));
      }
      break;
    default: break;
  }
  size.channels = network.value_channels[static_cast<std::size_t>(op.output)];
  if (size.height < 1 || size.width < 1) throw Error(fmt::format("{}: layer {}: the picture is too small: nothing is left of it", network.source, op.layer));
  return size;
}

/// Which values a lead level depends on: what is left after fusing.
std::vector<char> needed_values(const Network& network) {
  std::vector<char> needed(static_cast<std::size_t>(network.value_count), 0);
  for (const Level& level : network.levels)
    if (!level.auxiliary) needed[static_cast<std::size_t>(level.value)] = 1;
  for (auto op = network.operations.rbegin(); op != network.operations.rend(); ++op)
    if (needed[static_cast<std::size_t>(op->output)] != 0)
      for (const int input : op->inputs) needed[static_cast<std::size_t>(input)] = 1;
  return needed;
}

void add_convolution(Flops& flops, double outputs, double terms) {
  flops.gflops += 2 * outputs * terms * 1e-9;
  flops.with_bias += 2 * outputs * (terms + 1) * 1e-9;
}

}  // namespace

std::vector<ValueSize> value_sizes(const Network& network, int height, int width) {
  if (height < 1 || width < 1 || height > 65535 || width > 65535)
    throw Error(fmt::format("{}: expected a picture of 1 to 65535 pixels a side, found {} x {}", network.source, height, width));
  std::vector<ValueSize> sizes(static_cast<std::size_t>(network.value_count));
  sizes.at(0) = {3, height, width};
  for (const Operation& op : network.operations) sizes[static_cast<std::size_t>(op.output)] = output_size(network, op, sizes);
  return sizes;
}

Cost cost(const Network& network, int height, int width) {
  const std::vector<ValueSize> sizes = value_sizes(network, height, width);
  const std::vector<char> needed = needed_values(network);
  Cost result;
  result.parameters = network.parameter_count();
  result.layer_flops.resize(network.layers.size());
  for (const Operation& op : network.operations) {
    if (op.kind != Kind::conv) continue;
    const ValueSize& size = sizes[static_cast<std::size_t>(op.output)];
    const double outputs = static_cast<double>(size.height) * size.width * op.out_channels;
    const std::int64_t terms = std::int64_t{op.in_channels} / op.groups * op.kernel_h * op.kernel_w;
    add_convolution(result.flops, outputs, static_cast<double>(terms));
    add_convolution(result.layer_flops.at(static_cast<std::size_t>(op.layer)), outputs, static_cast<double>(terms));
    // The 1×1 branch of a RepConv goes into its 3×3.
    if (needed[static_cast<std::size_t>(op.output)] == 0 || op.tensor.find(".rbr_1x1.") != std::string::npos) continue;
    add_convolution(result.fused_flops, outputs, static_cast<double>(terms));
    result.fused_parameters += (terms + 1) * op.out_channels;
  }
  for (const Layer& layer : network.layers)
    result.layer_sizes.push_back(layer.output_value < 0 ? ValueSize{} : sizes[static_cast<std::size_t>(layer.output_value)]);
  return result;
}

}  // namespace yolov7::network
