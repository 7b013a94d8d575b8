#include "network/graph/cost.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

using Kind = Operation::Kind;

/// floor((size + 2 · padding − kernel) / stride) + 1, or 0 where the kernel does not fit.
int strided(int size, int kernel, int stride, int padding) {
  const int reach = size + 2 * padding - kernel;
  return reach < 0 ? 0 : reach / stride + 1;
}

ValueSize output_size(const Network& network, const Operation& op,
                      const std::vector<ValueSize>& sizes) {
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
          throw Error(
              fmt::format("{}: layer {}: inputs of {} x {} and {} x {} pixels do not fit: expected "
                          "a picture size that is a multiple of {}",
                          network.source, op.layer, size.height, size.width, other.height,
                          other.width, network.largest_stride()));
      }
      break;
    default: break;
  }
  size.channels = network.value_channels[static_cast<std::size_t>(op.output)];
  if (size.height < 1 || size.width < 1)
    throw Error(fmt::format("{}: layer {}: the picture is too small: nothing is left of it",
                            network.source, op.layer));
  return size;
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
    const int window = op.kind == Kind::reorg ? 2 : std::max(op.kernel_h, op.kernel_w);
    fields[static_cast<std::size_t>(op.output)] = widest + (window - 1) * apart;
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

/// Branches that a fused RepConv does not have.
bool is_merged_branch(const Operation& op) {
  return op.tensor.find(".rbr_1x1.") != std::string::npos ||
         op.tensor.find(".rbr_identity") != std::string::npos;
}

/// Whether the operation changes its input where it stands, or is gone, once the network is fused.
bool in_place(const Operation& op, const Links& links) {
  const Operation* before = links.producer(op.inputs[0]);
  const bool merged_sum = op.kind == Kind::add && before != nullptr &&
                          before->tensor.find(".rbr_dense.") != std::string::npos;
  return merged_sum || op.kind == Kind::batch_norm || op.kind == Kind::activation ||
         op.kind == Kind::implicit_add || op.kind == Kind::implicit_mul;
}

std::int64_t inference_bytes(const Network& network, const std::vector<ValueSize>& sizes,
                             const std::vector<char>& needed) {
  std::vector<int> buffer(sizes.size(), 0), last_use(sizes.size(), 0);  // by value, by buffer
  for (std::size_t i = 0; i < sizes.size(); ++i) buffer[i] = static_cast<int>(i);
  const auto at = [&](int value) -> std::size_t {
    return static_cast<std::size_t>(buffer[static_cast<std::size_t>(value)]);
  };
  const int end = static_cast<int>(network.operations.size());
  const Links links(network);
  std::vector<char> own(static_cast<std::size_t>(end), 0);
  for (int i = 0; i < end; ++i) {
    const Operation& op = network.operations[static_cast<std::size_t>(i)];
    if (needed[static_cast<std::size_t>(op.output)] == 0 || is_merged_branch(op)) continue;
    own[static_cast<std::size_t>(i)] = !in_place(op, links);
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
    const bool behind_norm =
        op.kind == Kind::activation && before != nullptr && before->kind == Kind::batch_norm;
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
    throw Error(fmt::format("{}: expected a picture of 1 to 65535 pixels a side, found {} x {}",
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
    if (op.kind != Kind::conv) continue;
    const ValueSize& size = sizes[static_cast<std::size_t>(op.output)];
    const double outputs = static_cast<double>(size.height) * size.width * op.out_channels;
    const std::int64_t terms = std::int64_t{op.in_channels} / op.groups * op.kernel_h * op.kernel_w;
    add_convolution(result.flops, outputs, static_cast<double>(terms));
    add_convolution(result.layer_flops.at(static_cast<std::size_t>(op.layer)), outputs,
                    static_cast<double>(terms));
    // The 1×1 branch of a RepConv goes into its 3×3.
    if (needed[static_cast<std::size_t>(op.output)] == 0 ||
        op.tensor.find(".rbr_1x1.") != std::string::npos)
      continue;
    add_convolution(result.fused_flops, outputs, static_cast<double>(terms));
    result.fused_parameters += (terms + 1) * op.out_channels;
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
