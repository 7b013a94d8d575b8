// The forward pass of TorchNetwork.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "kernels/channel_scale.hpp"
#include "kernels/max_pool.hpp"
#include "kernels/upsample.hpp"
#include "nn/fake_quantizers.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

/// Space to depth by 2; the row offset varies fastest (architecture 1.4).
at::Tensor reorg(const at::Tensor& x) {
  const auto part = [&](std::int64_t row, std::int64_t column) {
    return x.slice(2, row, std::nullopt, 2).slice(3, column, std::nullopt, 2);
  };
  return at::cat({part(0, 0), part(1, 0), part(0, 1), part(1, 1)}, 1);
}

}  // namespace

/// The values of one forward pass, by value number. The output of a shared convolution is held
/// twice (conv_bn_act_twice): one reader takes the value, all later readers its twin.
struct TorchNetwork::Flow {
  explicit Flow(int count) : values(static_cast<std::size_t>(count)), twins(values.size()) {}
  std::vector<at::Tensor> values, twins;

  void set(int value, std::array<at::Tensor, 2> pair) {
    values[static_cast<std::size_t>(value)] = std::move(pair[0]);
    twins[static_cast<std::size_t>(value)] = std::move(pair[1]);
  }
  /// The first call returns the value, every later call its twin, if it has one.
  at::Tensor take(int value) {
    at::Tensor& here = values[static_cast<std::size_t>(value)];
    at::Tensor& twin = twins[static_cast<std::size_t>(value)];
    if (!twin.defined()) return here;
    const at::Tensor taken = std::exchange(here, std::move(twin));
    twin.reset();
    return taken;
  }
  /// For one more reader: what the later readers take.
  const at::Tensor& look_at(int value) const {
    const at::Tensor& twin = twins[static_cast<std::size_t>(value)];
    return twin.defined() ? twin : values[static_cast<std::size_t>(value)];
  }
  void drop(int value) {
    values[static_cast<std::size_t>(value)].reset();
    twins[static_cast<std::size_t>(value)].reset();
  }
};

void TorchNetwork::set_quantizers(const FakeQuantizers* quantizers) {
  if (quantizers != nullptr && quantizers->value_count() != network_.value_count)
    throw Error(fmt::format("{}: expected the quantizers of {} values, found those of {}",
                            network_.source, network_.value_count, quantizers->value_count()));
  quantizers_ = quantizers;
}

at::Tensor TorchNetwork::behind_quantizer(int value, const at::Tensor& x) const {
  return quantizers_ == nullptr ? x : quantizers_->value(value, x);
}

at::Tensor TorchNetwork::execute_convolution(const Step& step, const network::Convolution& conv,
                                             const at::Tensor& x) const {
  if (quantizers_ == nullptr) return conv_bn_act(x, step.conv, mode_);
  ConvLayer rounded = step.conv;
  rounded.weight = quantizers_->weight(conv, step.conv.weight);
  return conv_bn_act(x, rounded, mode_);
}

at::Tensor TorchNetwork::execute(const Step& step, Flow& flow) const {
  std::vector<at::Tensor> in;
  for (const int input : step.inputs) in.push_back(flow.take(input));
  const at::Tensor& x = in.front();
  return std::visit(
      Overloaded{
          [&](const network::Convolution& conv) { return execute_convolution(step, conv, x); },
          [&](const network::BatchNorm&) {
            return batch_norm_act(x, step.conv.norm, step.conv.activation, mode_);
          },
          [&](const network::Activate&) { return activate(x, step.conv.activation); },
          [&](const network::MaxPool& pool) {
            return kernels::max_pool(x, pool.kernel, pool.stride, pool.padding);
          },
          [&](const network::Concat&) { return at::cat(in, 1); },
          [&](const network::Add&) {
            at::Tensor sum = in.at(0) + in.at(1);
            for (std::size_t i = 2; i < in.size(); ++i) sum = sum + in[i];
            return sum;
          },
          [&](const network::Multiply&) { return x * in.at(1); },
          [&](const network::Upsample&) { return kernels::upsample_twice(x); },
          [&](const network::Reorg&) { return reorg(x); },
          [&](const network::ImplicitAdd&) { return x + step.implicit.to(x.scalar_type()); },
          // scale_channels() also converts bfloat16 to the parameters' type.
          [&](const network::ImplicitMultiply&) {
            return kernels::scale_channels(x, step.implicit);
          },
          [&](const network::ChannelMean&) { return x.mean({1}, true); },
          [&](const network::ChannelMax&) { return x.amax({1}, true); },
      },
      step.primitive);
}

/// [B, anchors · outputs, H, W] → [B, anchors, H, W, outputs]. No copy if the value is
/// channels_last and of type type_.
at::Tensor TorchNetwork::raw_map(const at::Tensor& value) const {
  const at::Tensor t = value.to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  return t
      .view({t.size(0), network_.anchors_per_level, network_.outputs_per_anchor(), t.size(2),
             t.size(3)})
      .permute({0, 1, 3, 4, 2});
}

std::vector<at::Tensor> TorchNetwork::forward(const at::Tensor& images) {
  return forward(images, {}).maps;
}

TorchNetwork::Outputs TorchNetwork::forward(const at::Tensor& images, std::span<const int> values) {
  const auto stride = static_cast<std::int64_t>(network_.largest_stride());
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) == 0 || images.size(3) == 0 ||
      images.size(2) % stride != 0 || images.size(3) % stride != 0)
    throw Error(fmt::format(
        "{}: expected images [B, 3, H, W] with sides above 0 that are multiples of {}, found [{}]",
        network_.source, stride, fmt::join(images.sizes(), ", ")));
  Flow flow(network_.value_count);
  flow.set(0, {behind_quantizer(
                   0, images.to(device_, mode_.compute).contiguous(at::MemoryFormat::ChannelsLast)),
               at::Tensor()});
  Outputs outputs;
  outputs.values.resize(values.size());
  for (const Step& step : steps_) {
    if (mode_.training || step.lead) {
      if (step.shared && quantizers_ == nullptr)
        flow.set(step.output, conv_bn_act_twice(flow.take(step.inputs.front()), step.conv, mode_));
      else
        flow.set(step.output, {behind_quantizer(step.output, execute(step, flow)), at::Tensor()});
      for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] == step.output) outputs.values[i] = flow.look_at(step.output);
    }
    for (const int value : step.dead) flow.drop(value);
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!outputs.values[i].defined())
      throw Error(fmt::format("{}: expected a value that a step gives out, found number {}",
                              network_.source, values[i]));
  for (const network::Level& level : network_.levels)
    if (mode_.training || !level.auxiliary) outputs.maps.push_back(raw_map(flow.take(level.value)));
  return outputs;
}

}  // namespace yolov7::nn
