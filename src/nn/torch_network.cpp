#include "nn/torch_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/graph/links.hpp"

namespace yolov7::nn {
namespace {

using network::Operation;
using Role = network::TensorSpec::Role;

at::ScalarType scalar_type(network::DataType type) {
  switch (type) {
    case network::DataType::float16: return at::kHalf;
    case network::DataType::bfloat16: return at::kBFloat16;
    case network::DataType::float32: return at::kFloat;
    case network::DataType::float64: return at::kDouble;
    case network::DataType::int64: return at::kLong;
    case network::DataType::uint8: return at::kByte;
  }
  throw Error("a tensor of unknown type");
}

network::DataType data_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return network::DataType::float32;
    case at::kDouble: return network::DataType::float64;
    case at::kLong: return network::DataType::int64;
    default: throw Error(fmt::format("weights of type {} cannot be stored", c10::toString(type)));
  }
}

double neutral_value(Role role) {
  return role == Role::bn_weight || role == Role::bn_var || role == Role::implicit_mul ? 1 : 0;
}

std::array<std::int64_t, 2> both(int a, int b) { return {a, b}; }

}  // namespace

TorchNetwork::TorchNetwork(network::Network network, at::ScalarType type, at::Device device)
    : network_(std::move(network)), type_(type), device_(device) {
  mode_.compute = type;
  allocate();
  write_anchor_buffers();
  build_steps();
  mark_lifetimes();
}

void TorchNetwork::allocate() {
  entries_.reserve(network_.tensors.size());
  for (const network::TensorSpec& spec : network_.tensors) {
    const bool counter = spec.role == Role::bn_count;
    at::Tensor tensor = at::full(spec.shape, neutral_value(spec.role),
                                 at::dtype(counter ? at::kLong : type_).device(device_));
    if (spec.role == Role::weight) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    if (spec.trainable()) tensor.requires_grad_(true);
    index_.emplace(spec.name, entries_.size());
    entries_.push_back({spec, std::move(tensor)});
  }
}

void TorchNetwork::write_anchor_buffers() {
  at::NoGradGuard no_gradient;
  const std::size_t levels = network_.lead_levels();
  const auto na = static_cast<std::size_t>(network_.anchors_per_level);
  std::vector<double> pixels, grid;
  for (std::size_t level = 0; level < levels; ++level)
    for (std::size_t a = 0; a < na; ++a)
      for (const double side :
           {network_.levels[level].anchors[a].w, network_.levels[level].anchors[a].h}) {
        pixels.push_back(side);
        grid.push_back(side / network_.levels[level].stride);
      }
  for (Entry& entry : entries_) {
    if (entry.spec.role != Role::anchors && entry.spec.role != Role::anchor_grid) continue;
    const std::vector<double>& values = entry.spec.role == Role::anchors ? grid : pixels;
    entry.tensor.copy_(at::tensor(values, at::kDouble).view(entry.spec.shape));
  }
}

/// In a checkpoint the buffers are authoritative, not the anchors of its config (architecture 3.8).
void TorchNetwork::read_anchor_buffers() {
  const auto leads = static_cast<std::int64_t>(network_.lead_levels());
  for (const Entry& entry : entries_) {
    if (entry.spec.role != Role::anchor_grid) continue;
    const at::Tensor pixels =
        entry.tensor.to(at::kCPU, at::kDouble).reshape({leads, -1, 2}).contiguous();
    const double* sides = pixels.const_data_ptr<double>();
    for (std::size_t level = 0; level < network_.levels.size(); ++level) {
      const double* row = sides + static_cast<std::int64_t>(level) % leads * pixels.size(1) * 2;
      for (network::AnchorSize& anchor : network_.levels[level].anchors) {
        anchor = {row[0], row[1]};
        row += 2;
      }
    }
  }
}

void TorchNetwork::set_anchors(const std::vector<std::vector<network::AnchorSize>>& anchors) {
  const std::size_t leads = network_.lead_levels();
  if (anchors.size() != leads)
    throw Error(fmt::format("expected anchors for {} levels, found {}", leads, anchors.size()));
  for (std::size_t level = 0; level < network_.levels.size(); ++level) {
    const auto& row = anchors[level % leads];
    if (row.size() != static_cast<std::size_t>(network_.anchors_per_level))
      throw Error(fmt::format("level {}: expected {} anchors, found {}", level,
                              network_.anchors_per_level, row.size()));
    network_.levels[level].anchors = row;
  }
  write_anchor_buffers();
}

const at::Tensor& TorchNetwork::tensor(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end())
    throw Error(fmt::format("{}: the network has no tensor '{}'", network_.source, name));
  return entries_[found->second].tensor;
}

BatchNorm TorchNetwork::batch_norm(const network::BatchNorm& norm) const {
  const auto part = [&](const char* name) { return tensor(norm.tensor + name); };
  return {part(".weight"), part(".bias"), part(".running_mean"), part(".running_var"),
          part(".num_batches_tracked")};
}

ConvLayer TorchNetwork::conv_layer(const network::Convolution& conv) const {
  ConvLayer layer;
  layer.weight = tensor(conv.tensor + ".weight");
  if (conv.bias) layer.bias = tensor(conv.tensor + ".bias");
  layer.stride = both(conv.stride, conv.stride);
  layer.padding = both(conv.pad_h, conv.pad_w);
  layer.dilation = conv.dilation;
  layer.groups = conv.groups;
  return layer;
}

/// One step per operation, except that a convolution takes in the batch-norm and the activation
/// that alone read it, and a batch-norm the activation.
void TorchNetwork::build_steps() {
  const network::Links links(network_);
  const std::vector<Operation>& operations = network_.operations;

  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Operation& operation = operations[i];
    Step step;
    step.primitive = operation.primitive;
    step.inputs = operation.inputs;
    step.output = operation.output;
    step.layer = operation.layer;
    // The next operation, if it is of kind P and the only reader of this step's output.
    const auto absorb = [&]<class P>(std::type_identity<P>) -> const P* {
      if (i + 1 >= operations.size() || links.only_reader<P>(step.output) != &operations[i + 1])
        return nullptr;
      step.output = operations[++i].output;
      return operations[i].as<P>();
    };
    const auto absorb_activation = [&] {
      if (const auto* next = absorb(std::type_identity<network::Activate>()))
        step.conv.activation = next->activation;
    };
    std::visit(
        Overloaded{
            [&](const network::Convolution& conv) {
              step.conv = conv_layer(conv);
              if (const auto* norm = absorb(std::type_identity<network::BatchNorm>()))
                step.conv.norm = batch_norm(*norm);
              absorb_activation();
              step.shared = links.reader_count(step.output) > 1;
            },
            [&](const network::BatchNorm& norm) {
              step.conv.norm = batch_norm(norm);
              absorb_activation();
            },
            [&](const network::Activate& activate) { step.conv.activation = activate.activation; },
            [&](const OneOf<network::ImplicitAdd, network::ImplicitMultiply> auto& vector) {
              step.implicit = tensor(vector.tensor + ".implicit");
            },
            [](const OneOf<network::MaxPool, network::Concat, network::Add, network::Multiply,
                           network::Upsample, network::Reorg, network::ChannelMean,
                           network::ChannelMax> auto&) {},
        },
        operation.primitive);
    steps_.push_back(std::move(step));
  }
}

void TorchNetwork::mark_lifetimes() {
  std::vector<bool> lead(static_cast<std::size_t>(network_.value_count), false), seen(lead);
  for (const network::Level& level : network_.levels) {
    seen[static_cast<std::size_t>(level.value)] = true;  // kept to the end
    if (!level.auxiliary) lead[static_cast<std::size_t>(level.value)] = true;
  }
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    step->lead = lead[static_cast<std::size_t>(step->output)];
    for (const int input : step->inputs) {
      const auto value = static_cast<std::size_t>(input);
      if (step->lead) lead[value] = true;
      if (!seen[value]) step->dead.push_back(input);
      seen[value] = true;
    }
  }
}

int layer_of(const std::string& tensor_name) {
  return std::stoi(tensor_name.substr(tensor_name.find('.') + 1));
}

std::vector<std::string> TorchNetwork::freeze(std::span<const int> layers, bool freeze_batch_norm) {
  const auto frozen = [&](int layer) {
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  };
  std::vector<std::string> names;
  for (Entry& entry : entries_) {
    if (!entry.spec.trainable()) continue;
    const bool off = frozen(layer_of(entry.spec.name));
    entry.tensor.requires_grad_(!off);
    if (off) names.push_back(entry.spec.name);
  }
  for (Step& step : steps_) step.conv.norm.frozen = freeze_batch_norm && frozen(step.layer);
  return names;
}

void TorchNetwork::load(const network::Weights& weights) {
  network::check(network_, weights);
  at::NoGradGuard no_gradient;
  for (Entry& entry : entries_) {
    at::Tensor to = entry.tensor;
    to.copy_(view_of(weights.at(entry.spec.name)));
  }
  read_anchor_buffers();
}

network::Weights TorchNetwork::store() const {
  network::Weights weights;
  for (const Entry& entry : entries_) weights.set(entry.spec.name, to_plain(entry.tensor));
  return weights;
}

at::Tensor view_of(const network::Tensor& tensor) {
  return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), tensor.shape,
                       scalar_type(tensor.type));
}

network::Tensor to_plain(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
  network::Tensor plain;
  plain.type = data_type(values.scalar_type());
  plain.shape = tensor.sizes().vec();
  const auto* begin = static_cast<const std::byte*>(values.const_data_ptr());
  plain.bytes.assign(begin, begin + values.nbytes());
  return plain;
}

at::Tensor image_tensor(std::span<const std::uint8_t> pixels, int count, int height, int width,
                        at::Device device) {
  const auto expected = static_cast<std::size_t>(count) * 3 * static_cast<std::size_t>(height) *
                        static_cast<std::size_t>(width);
  if (pixels.size() != expected)
    throw Error(fmt::format("expected {} pixel bytes for {} images of {}x{}, found {}", expected,
                            count, width, height, pixels.size()));
  const at::Tensor bytes =
      at::from_blob(const_cast<std::uint8_t*>(pixels.data()), {count, 3, height, width}, at::kByte);
  return bytes.to(device, at::kFloat).div_(255).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace yolov7::nn
