// Of TorchNetwork: the forward pass, and the decoding of its maps.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "core/error.hpp"
#include "kernels/channel_scale.hpp"
#include "kernels/max_pool.hpp"
#include "kernels/upsample.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

using network::Operation;

/// Space to depth by 2; the row offset varies fastest (architecture 1.4).
at::Tensor reorg(const at::Tensor& x) {
  const auto part = [&](std::int64_t row, std::int64_t column) {
    return x.slice(2, row, std::nullopt, 2).slice(3, column, std::nullopt, 2);
  };
  return at::cat({part(0, 0), part(1, 0), part(0, 1), part(1, 1)}, 1);
}

}  // namespace

/// The values of one forward pass. A value that several steps read may stand there twice
/// (conv_bn_act_twice).
struct TorchNetwork::Flow {
  explicit Flow(int count) : values(static_cast<std::size_t>(count)), twins(values.size()) {}
  std::vector<at::Tensor> values, twins;

  void set(int value, std::array<at::Tensor, 2> pair) {
    values[static_cast<std::size_t>(value)] = std::move(pair[0]);
    twins[static_cast<std::size_t>(value)] = std::move(pair[1]);
  }
  /// For one reader: the value, and for all later readers its twin.
  at::Tensor take(int value) {
    at::Tensor& here = values[static_cast<std::size_t>(value)];
    at::Tensor& twin = twins[static_cast<std::size_t>(value)];
    if (!twin.defined()) return here;
    const at::Tensor taken = std::exchange(here, std::move(twin));
    twin.reset();
    return taken;
  }
  void drop(int value) {
    values[static_cast<std::size_t>(value)].reset();
    twins[static_cast<std::size_t>(value)].reset();
  }
};

at::Tensor TorchNetwork::execute(const Step& step, Flow& flow) const {
  using Kind = Operation::Kind;
  if (step.kind == Kind::add || step.kind == Kind::concat) {
    std::vector<at::Tensor> parts;
    for (const int input : step.inputs) parts.push_back(flow.take(input));
    if (step.kind == Kind::concat) return at::cat(parts, 1);
    at::Tensor sum = parts.at(0) + parts.at(1);
    for (std::size_t i = 2; i < parts.size(); ++i) sum = sum + parts[i];
    return sum;
  }
  const at::Tensor x = flow.take(step.inputs.front());
  switch (step.kind) {
    case Kind::conv: return conv_bn_act(x, step.conv, mode_);
    case Kind::batch_norm: return batch_norm_act(x, step.conv.norm, step.conv.activation, mode_);
    case Kind::activation: return activate(x, step.conv.activation);
    case Kind::max_pool: return kernels::max_pool(x, step.kernel, step.stride, step.padding);
    case Kind::upsample: return kernels::upsample_twice(x);
    case Kind::reorg: return reorg(x);
    case Kind::implicit_add: return x + step.implicit.to(x.scalar_type());
    case Kind::implicit_mul:
      return kernels::scale_channels(x, step.implicit);  // widens bfloat16 to the parameters' type
    case Kind::channel_mean: return x.mean({1}, true);
    case Kind::channel_max: return x.amax({1}, true);
    case Kind::multiply: return x * flow.take(step.inputs.at(1));
    case Kind::add:
    case Kind::concat: break;
  }
  throw Error(fmt::format("{}: layer {}: an operation that training does not know", network_.source,
                          step.layer));
}

/// [B, na·no, H, W] → [B, na, H, W, no]; a view if the value is channels_last.
at::Tensor TorchNetwork::raw_map(const at::Tensor& value) const {
  const at::Tensor t = value.to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  return t
      .view({t.size(0), network_.anchors_per_level, network_.outputs_per_anchor(), t.size(2),
             t.size(3)})
      .permute({0, 1, 3, 4, 2});
}

std::vector<at::Tensor> TorchNetwork::forward(const at::Tensor& images) {
  const auto stride = static_cast<std::int64_t>(network_.largest_stride());
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) % stride != 0 ||
      images.size(3) % stride != 0)
    throw Error(fmt::format(
        "{}: expected images [B, 3, H, W] with sides that are multiples of {}, found [{}]",
        network_.source, stride, fmt::join(images.sizes(), ", ")));
  Flow flow(network_.value_count);
  flow.set(0, {images.to(device_, mode_.compute).contiguous(at::MemoryFormat::ChannelsLast),
               at::Tensor()});
  for (const Step& step : steps_) {
    if (mode_.training || step.lead) {
      if (step.shared)
        flow.set(step.output, conv_bn_act_twice(flow.take(step.inputs.front()), step.conv, mode_));
      else
        flow.set(step.output, {execute(step, flow), at::Tensor()});
    }
    for (const int value : step.dead) flow.drop(value);
  }
  std::vector<at::Tensor> maps;
  for (const network::Level& level : network_.levels)
    if (mode_.training || !level.auxiliary) maps.push_back(raw_map(flow.take(level.value)));
  return maps;
}

at::Tensor decode(const std::vector<at::Tensor>& maps, const network::Network& network) {
  std::vector<at::Tensor> levels;
  for (std::size_t i = 0; i < network.lead_levels(); ++i) {
    const network::Level& level = network.levels[i];
    const at::Tensor s = maps.at(i).sigmoid();
    const auto options = s.options();
    std::vector<double> sizes;
    for (const network::AnchorSize& anchor : level.anchors)
      sizes.insert(sizes.end(), {anchor.w, anchor.h});
    const at::Tensor anchors = at::tensor(sizes, at::kDouble).to(options).view({1, -1, 1, 1, 2});
    const auto grid =
        at::meshgrid({at::arange(s.size(2), options), at::arange(s.size(3), options)}, "ij");
    const at::Tensor cells = at::stack({grid[1], grid[0]}, -1);
    const at::Tensor centre = (s.slice(-1, 0, 2) * 2 - 0.5 + cells) * level.stride;
    const at::Tensor size = (s.slice(-1, 2, 4) * 2).square() * anchors;
    levels.push_back(
        at::cat({centre, size, s.slice(-1, 4)}, -1).reshape({s.size(0), -1, s.size(4)}));
  }
  return at::cat(levels, 1);
}

}  // namespace yolov7::nn
