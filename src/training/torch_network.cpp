#include "training/torch_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "network/links.hpp"
#include "training/kernels/channel_scale.hpp"
#include "training/kernels/max_pool.hpp"
#include "training/kernels/upsample.hpp"

namespace yolov7::training {
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

/// Space to depth by 2; the row offset varies fastest (architecture 1.4).
at::Tensor reorg(const at::Tensor& x) {
  const auto part = [&](std::int64_t row, std::int64_t column) {
    return x.slice(2, row, std::nullopt, 2).slice(3, column, std::nullopt, 2);
  };
  return at::cat({part(0, 0), part(1, 0), part(0, 1), part(1, 1)}, 1);
}

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
    at::Tensor tensor = at::full(spec.shape, neutral_value(spec.role), at::dtype(counter ? at::kLong : type_).device(device_));
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
      for (const double side : {network_.levels[level].anchors[a].w, network_.levels[level].anchors[a].h}) {
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
    const at::Tensor pixels = entry.tensor.to(at::kCPU, at::kDouble).reshape({leads, -1, 2}).contiguous();
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
  if (anchors.size() != leads) throw Error(fmt::format("expected anchors for {} levels, found {}", leads, anchors.size()));
  for (std::size_t level = 0; level < network_.levels.size(); ++level) {
    const auto& row = anchors[level % leads];
    if (row.size() != static_cast<std::size_t>(network_.anchors_per_level))
      throw Error(fmt::format("level {}: expected {} anchors, found {}", level, network_.anchors_per_level, row.size()));
    network_.levels[level].anchors = row;
  }
  write_anchor_buffers();
}

const at::Tensor& TorchNetwork::tensor(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) throw Error(fmt::format("{}: the network has no tensor '{}'", network_.source, name));
  return entries_[found->second].tensor;
}

BatchNorm TorchNetwork::batch_norm(const std::string& prefix) const {
  return {tensor(prefix + ".weight"), tensor(prefix + ".bias"), tensor(prefix + ".running_mean"),
          tensor(prefix + ".running_var"), tensor(prefix + ".num_batches_tracked")};
}

ConvLayer TorchNetwork::conv_layer(const Operation& operation) const {
  ConvLayer conv;
  conv.weight = tensor(operation.tensor + ".weight");
  if (operation.bias) conv.bias = tensor(operation.tensor + ".bias");
  conv.stride = both(operation.stride, operation.stride);
  conv.padding = both(operation.pad_h, operation.pad_w);
  conv.dilation = operation.dilation;
  conv.groups = operation.groups;
  return conv;
}

/// One step per operation, except that a convolution takes in the batch-norm and the activation that alone read it,
/// and a batch-norm the activation.
void TorchNetwork::build_steps() {
  using Kind = Operation::Kind;
  const network::Links links(network_);

  for (std::size_t i = 0; i < network_.operations.size(); ++i) {
    const Operation& operation = network_.operations[i];
    Step step;
    step.kind = operation.kind;
    step.inputs = operation.inputs;
    step.output = operation.output;
    step.layer = operation.layer;
    step.kernel = operation.kernel_h;
    step.stride = operation.stride;
    step.padding = operation.pad_h;
    const auto absorb = [&](Kind kind) {  // the next operation, if it is the only reader of this step's output
      if (i + 1 >= network_.operations.size()) return static_cast<const Operation*>(nullptr);
      const Operation& next = network_.operations[i + 1];
      if (links.only_reader(step.output, kind) != &next) return static_cast<const Operation*>(nullptr);
      step.output = next.output;
      ++i;
      return &next;
    };
    if (operation.kind == Kind::conv) {
      step.conv = conv_layer(operation);
      if (const Operation* norm = absorb(Kind::batch_norm)) step.conv.norm = batch_norm(norm->tensor);
    } else if (operation.kind == Kind::batch_norm) {
      step.conv.norm = batch_norm(operation.tensor);
    } else if (operation.kind == Kind::activation) {
      step.conv.activation = operation.activation;
    } else if (operation.kind == Kind::implicit_add || operation.kind == Kind::implicit_mul) {
      step.implicit = tensor(operation.tensor + ".implicit");
    }
    if (operation.kind == Kind::conv || operation.kind == Kind::batch_norm)
      if (const Operation* activation = absorb(Kind::activation)) step.conv.activation = activation->activation;
    step.shared = operation.kind == Kind::conv && links.reader_count(step.output) > 1;
    steps_.push_back(std::move(step));
  }
}

/// The values of one forward pass. A value that several steps read may stand there twice (conv_bn_act_twice).
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

int layer_of(const std::string& tensor_name) { return std::stoi(tensor_name.substr(tensor_name.find('.') + 1)); }

std::vector<std::string> TorchNetwork::freeze(std::span<const int> layers, bool freeze_batch_norm) {
  const auto frozen = [&](int layer) { return std::find(layers.begin(), layers.end(), layer) != layers.end(); };
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
    case Kind::implicit_mul: return kernels::scale_channels(x, step.implicit);  // widens bfloat16 to the parameters' type
    case Kind::channel_mean: return x.mean({1}, true);
    case Kind::channel_max: return x.amax({1}, true);
    case Kind::multiply: return x * flow.take(step.inputs.at(1));
    case Kind::add:
    case Kind::concat: break;
  }
  throw Error(fmt::format("{}: layer {}: an operation that training does not know", network_.source, step.layer));
}

/// [B, na·no, H, W] → [B, na, H, W, no]; a view if the value is channels_last.
at::Tensor TorchNetwork::raw_map(const at::Tensor& value) const {
  const at::Tensor t = value.to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  return t.view({t.size(0), network_.anchors_per_level, network_.outputs_per_anchor(), t.size(2), t.size(3)})
      .permute({0, 1, 3, 4, 2});
}

std::vector<at::Tensor> TorchNetwork::forward(const at::Tensor& images) {
  const auto stride = static_cast<std::int64_t>(network_.largest_stride());
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) % stride != 0 || images.size(3) % stride != 0)
    throw Error(fmt::format("{}: expected images [B, 3, H, W] with sides that are multiples of {}, found [{}]",
                            network_.source, stride, fmt::join(images.sizes(), ", ")));
  Flow flow(network_.value_count);
  flow.set(0, {images.to(device_, mode_.compute).contiguous(at::MemoryFormat::ChannelsLast), at::Tensor()});
  for (const Step& step : steps_) {
    if (mode_.training || step.lead) {
      if (step.shared) flow.set(step.output, conv_bn_act_twice(flow.take(step.inputs.front()), step.conv, mode_));
      else flow.set(step.output, {execute(step, flow), at::Tensor()});
    }
    for (const int value : step.dead) flow.drop(value);
  }
  std::vector<at::Tensor> maps;
  for (const network::Level& level : network_.levels)
    if (mode_.training || !level.auxiliary) maps.push_back(raw_map(flow.take(level.value)));
  return maps;
}

at::Tensor view_of(const network::Tensor& tensor) {
  return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), tensor.shape, scalar_type(tensor.type));
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

at::Tensor image_tensor(std::span<const std::uint8_t> pixels, int count, int height, int width, at::Device device) {
  const auto expected = static_cast<std::size_t>(count) * 3 * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  if (pixels.size() != expected)
    throw Error(fmt::format("expected {} pixel bytes for {} pictures of {}x{}, found {}", expected, count, width, height, pixels.size()));
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(pixels.data()), {count, 3, height, width}, at::kByte);
  return bytes.to(device, at::kFloat).div_(255).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor decode(const std::vector<at::Tensor>& maps, const network::Network& network) {
  std::vector<at::Tensor> levels;
  for (std::size_t i = 0; i < network.lead_levels(); ++i) {
    const network::Level& level = network.levels[i];
    const at::Tensor s = maps.at(i).sigmoid();
    const auto options = s.options();
    std::vector<double> sizes;
    for (const network::AnchorSize& anchor : level.anchors) sizes.insert(sizes.end(), {anchor.w, anchor.h});
    const at::Tensor anchors = at::tensor(sizes, at::kDouble).to(options).view({1, -1, 1, 1, 2});
    const auto grid = at::meshgrid({at::arange(s.size(2), options), at::arange(s.size(3), options)}, "ij");
    const at::Tensor cells = at::stack({grid[1], grid[0]}, -1);
    const at::Tensor centre = (s.slice(-1, 0, 2) * 2 - 0.5 + cells) * level.stride;
    const at::Tensor size = (s.slice(-1, 2, 4) * 2).square() * anchors;
    levels.push_back(at::cat({centre, size, s.slice(-1, 4)}, -1).reshape({s.size(0), -1, s.size(4)}));
  }
  return at::cat(levels, 1);
}

}  // namespace yolov7::training
