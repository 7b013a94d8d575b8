#include "network/transform/prune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/config/builder.hpp"
#include "network/config/config_document.hpp"

namespace yolov7::network {
namespace {

using Places = std::vector<std::int64_t>;

Places places_of(const std::vector<char>& kept) {
  Places places;
  for (std::size_t c = 0; c < kept.size(); ++c)
    if (kept[c] != 0) places.push_back(static_cast<std::int64_t>(c));
  return places;
}

/// The tensor at these places of an axis.
Tensor taken(const Tensor& from, std::size_t axis, const Places& places) {
  Tensor to;
  to.type = from.type;
  to.shape = from.shape;
  to.shape[axis] = static_cast<std::int64_t>(places.size());
  std::size_t before = 1, block = size_in_bytes(from.type);
  for (std::size_t i = 0; i < axis; ++i) before *= static_cast<std::size_t>(from.shape[i]);
  for (std::size_t i = axis + 1; i < from.shape.size(); ++i)
    block *= static_cast<std::size_t>(from.shape[i]);
  const auto side = static_cast<std::size_t>(from.shape[axis]);
  to.bytes.resize(before * places.size() * block);
  std::byte* out = to.bytes.data();
  for (std::size_t i = 0; i < before; ++i)
    for (const std::int64_t place : places) {
      std::memcpy(out, from.bytes.data() + (i * side + static_cast<std::size_t>(place)) * block,
                  block);
      out += block;
    }
  return to;
}

class Surgery {
 public:
  Surgery(const Network& stored, const Weights& weights, const KeptChannels& kept) : kept_(kept) {
    for (const auto& [name, tensor] : weights.entries()) result_.set(name, tensor);
    for (const Operation& op : stored.operations) cut(op);
  }
  Weights take() { return std::move(result_); }

 private:
  Places places(int value) const { return places_of(kept_[static_cast<std::size_t>(value)]); }

  void cut_axis(const std::string& name, std::size_t axis, const Places& places) {
    result_.set(name, taken(result_.at(name), axis, places));
  }

  void cut_convolution(const Operation& op, const Convolution& conv) {
    const Places out = places(op.output);
    Places in = places(op.inputs.front());
    const std::int64_t each = conv.in_channels / conv.groups;
    if (conv.groups == conv.in_channels)
      in = {0};  // one input channel each, whichever are left
    else         // the same places of every group are left
      std::erase_if(in, [&](std::int64_t place) { return place >= each; });
    cut_axis(conv.tensor + ".weight", 0, out);
    cut_axis(conv.tensor + ".weight", 1, in);
    if (conv.bias) cut_axis(conv.tensor + ".bias", 0, out);
  }

  void cut(const Operation& op) {
    std::visit(Overloaded{
                   [&](const Convolution& conv) { cut_convolution(op, conv); },
                   [&](const BatchNorm& norm) {
                     for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
                       cut_axis(norm.tensor + part, 0, places(op.output));
                   },
                   [&](const OneOf<ImplicitAdd, ImplicitMultiply> auto& implicit) {
                     cut_axis(implicit.tensor + ".implicit", 1, places(op.output));
                   },
                   [](const OneOf<Activate, MaxPool, Concat, Add, Multiply, Upsample, Reorg,
                                  ChannelMean, ChannelMax> auto&) {},
               },
               op.primitive);
  }

  const KeptChannels& kept_;
  Weights result_;
};

/// Of the convolutions that lose channels, and of those that had lost some before.
std::map<std::string, int> widths(const Network& network, const KeptChannels& kept) {
  std::map<std::string, int> result;
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr) continue;
    const std::vector<char>& channels = kept[static_cast<std::size_t>(op.output)];
    const auto left = static_cast<int>(std::count(channels.begin(), channels.end(), char{1}));
    if (left == 0)
      throw Error(fmt::format("{}: expected channels that stay, found none", conv->tensor));
    if (left != conv->out_channels) result[conv->tensor] = left;
  }
  return result;
}

}  // namespace

Network unfolded_network(const Checkpoint& checkpoint) {
  Overrides overrides;
  overrides.class_count = checkpoint.class_count;
  return build(checkpoint.config, checkpoint.config_source, overrides);
}

Checkpoint without_channels(const Checkpoint& checkpoint, const KeptChannels& kept) {
  const Network stored = checkpoint.build_network(), whole = unfolded_network(checkpoint);
  check(stored, checkpoint.inference_weights());
  Checkpoint result;
  result.config = with_widths(checkpoint.config, checkpoint.config_source, widths(whole, kept));
  result.config_source = checkpoint.config_source + ", pruned";
  result.class_count = checkpoint.class_count;
  result.names = checkpoint.names;
  result.image_size = checkpoint.image_size;
  result.dataset_identity = checkpoint.dataset_identity;
  result.ema = Surgery(stored, checkpoint.inference_weights(), kept).take();
  check(result.build_network(), result.ema);
  return result;
}

}  // namespace yolov7::network
