#include "training/optim/optimizer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

using Role = network::TensorSpec::Role;

/// The fused update walks parameter, gradient and momentum in memory order, so all three must lie
/// alike.
at::Tensor laid_out_like(const at::Tensor& tensor, const at::Tensor& model) {
  if (tensor.strides() == model.strides() && tensor.scalar_type() == model.scalar_type())
    return tensor;
  return at::empty_like(model, model.options().requires_grad(false)).copy_(tensor);
}

bool has_gradient(const at::Tensor& parameter) {
  return parameter.requires_grad() && parameter.grad().defined();
}
at::Tensor zeros_of(const at::Tensor& parameter) {
  return at::zeros_like(parameter, parameter.options().requires_grad(false));
}

// On disk.
constexpr const char *first_moment = ".m", *second_moment = ".v", *counter = ".t";

struct Lists {
  std::vector<at::Tensor> parameters, gradients, momenta;
};

/// Views whose dimensions stand in the order of memory: LibTorch's fused updates copy channels_last
/// tensors first.
std::vector<at::Tensor> in_memory_order(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> views;
  for (const at::Tensor& tensor : tensors) {
    const bool last = tensor.dim() == 4 && !tensor.is_contiguous() &&
                      tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
    views.push_back(last ? tensor.permute({0, 2, 3, 1}) : tensor);
  }
  return views;
}

/// One pass over the memory; it refuses momentum buffers where the momentum is 0.
void update(const Lists& list, double decay, double momentum, double rate, bool nesterov,
            bool first) {
  if (list.parameters.empty()) return;
  if (momentum == 0) {
    at::_foreach_copy_(list.momenta, list.gradients);
    at::_foreach_add_(list.momenta, list.parameters, decay);
    at::_foreach_add_(list.parameters, list.momenta, -rate);
  } else {
    at::_fused_sgd_(in_memory_order(list.parameters), in_memory_order(list.gradients),
                    in_memory_order(list.momenta), decay, momentum, rate, /*dampening=*/0, nesterov,
                    /*maximize=*/false, first);
  }
}

}  // namespace

ParameterGroup group_of(Role role) {
  switch (role) {
    case Role::bn_weight:
    case Role::implicit_add:
    case Role::implicit_mul: return ParameterGroup::scale;
    case Role::weight: return ParameterGroup::weight;
    case Role::bias:
    case Role::bn_bias: return ParameterGroup::bias;
    default: throw Error("a tensor that is not trainable belongs to no parameter group");
  }
}

OptimizerKind optimizer_kind(std::string_view name) {
  if (name == "sgd") return OptimizerKind::sgd;
  if (name == "adam") return OptimizerKind::adam;
  if (name == "adamw") return OptimizerKind::adamw;
  throw Error(fmt::format("optimizer: expected sgd, adam or adamw, found '{}'", name));
}

Optimizer::Optimizer(const nn::TorchNetwork& network, const OptimizerOptions& options)
    : options_(options) {
  for (const nn::TorchNetwork::Entry& entry : network.entries()) {
    if (!entry.spec.trainable()) continue;
    const std::size_t layer = static_cast<std::size_t>(nn::layer_of(entry.spec.name));
    const double share = layer < options.layer_rates.size() ? options.layer_rates[layer] : 1;
    groups_[static_cast<std::size_t>(group_of(entry.spec.role))].push_back(
        {entry.spec.name, entry.tensor, {}, {}, 0, share});
    if (std::find(shares_.begin(), shares_.end(), share) == shares_.end()) shares_.push_back(share);
  }
}

void Optimizer::add(const std::string& name, const at::Tensor& tensor, ParameterGroup group,
                    double rate) {
  groups_[static_cast<std::size_t>(group)].push_back({name, tensor, {}, {}, 0, rate});
  if (std::find(shares_.begin(), shares_.end(), rate) == shares_.end()) shares_.push_back(rate);
}

double Optimizer::decay(std::size_t group) const {
  return group == static_cast<std::size_t>(ParameterGroup::weight) ? options_.weight_decay : 0;
}

void Optimizer::step() {
  at::NoGradGuard no_gradient;
  for (std::size_t group = 0; group < groups_.size(); ++group)
    for (const double share : shares_) {
      if (options_.kind == OptimizerKind::sgd)
        step_sgd(group, share);
      else
        step_adam(group, share);
    }
}

void Optimizer::step_sgd(std::size_t group, double share) {
  std::array<Lists, 2> lists;  // first step, later steps
  for (Parameter& parameter : groups_[group]) {
    if (parameter.rate != share || !has_gradient(parameter.tensor)) continue;
    const bool first = !parameter.momentum.defined();
    if (first) parameter.momentum = zeros_of(parameter.tensor);
    Lists& list = lists[first ? 0 : 1];
    list.parameters.push_back(parameter.tensor);
    list.gradients.push_back(laid_out_like(parameter.tensor.grad(), parameter.tensor));
    list.momenta.push_back(parameter.momentum);
  }
  update(lists[0], decay(group), momentum_, rates_[group] * share, options_.nesterov,
         /*first=*/true);
  update(lists[1], decay(group), momentum_, rates_[group] * share, options_.nesterov,
         /*first=*/false);
}

void Optimizer::step_adam(std::size_t group, double share) {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  for (Parameter& parameter : groups_[group]) {
    if (parameter.rate != share || !has_gradient(parameter.tensor)) continue;
    if (!parameter.momentum.defined()) {
      parameter.momentum = zeros_of(parameter.tensor);
      parameter.second = zeros_of(parameter.tensor);
    }
    ++parameter.steps;
    parameters.push_back(parameter.tensor);
    gradients.push_back(laid_out_like(parameter.tensor.grad(), parameter.tensor));
    first.push_back(parameter.momentum);
    second.push_back(parameter.second);
    steps.push_back(at::full({}, static_cast<double>(parameter.steps),
                             at::dtype(at::kFloat).device(parameter.tensor.device())));
  }
  if (parameters.empty()) return;
  for (std::vector<at::Tensor>* list : {&parameters, &gradients, &first, &second})
    *list = in_memory_order(*list);
  const double rate = rates_[group] * share, beta1 = options_.beta1, beta2 = options_.beta2,
               epsilon = options_.epsilon;
  if (options_.kind == OptimizerKind::adam)
    at::_fused_adam_(parameters, gradients, first, second, {}, steps, rate, beta1, beta2,
                     decay(group), epsilon, /*amsgrad=*/false, /*maximize=*/false);
  else
    at::_fused_adamw_(parameters, gradients, first, second, {}, steps, rate, beta1, beta2,
                      decay(group), epsilon, /*amsgrad=*/false, /*maximize=*/false);
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> result;
  for (const auto& group : groups_)
    for (const Parameter& parameter : group)
      if (has_gradient(parameter.tensor)) result.push_back(parameter.tensor.grad());
  return result;
}

void Optimizer::scale_gradients(double factor) {
  at::NoGradGuard no_gradient;
  const std::vector<at::Tensor> all = gradients();
  if (!all.empty()) at::_foreach_mul_(all, factor);
}

double Optimizer::clip_gradients(double limit) {
  at::NoGradGuard no_gradient;
  const std::vector<at::Tensor> gradients = this->gradients();
  double squares = 0;
  for (const at::Tensor& norm : at::_foreach_norm(gradients, 2))
    squares += std::pow(norm.item<double>(), 2);
  const double norm = std::sqrt(squares);
  if (std::isfinite(norm) && limit > 0 && norm > limit) at::_foreach_mul_(gradients, limit / norm);
  return norm;
}

void Optimizer::clear_gradients() {
  for (auto& group : groups_)
    for (Parameter& parameter : group) parameter.tensor.mutable_grad().reset();
}

std::array<std::size_t, 3> Optimizer::group_sizes() const {
  return {groups_[0].size(), groups_[1].size(), groups_[2].size()};
}

network::Weights Optimizer::store() const {
  network::Weights weights;
  for (const auto& group : groups_)
    for (const Parameter& parameter : group) {
      if (!parameter.momentum.defined()) continue;
      if (options_.kind == OptimizerKind::sgd) {
        weights.set(parameter.name, nn::to_plain(parameter.momentum));
        continue;
      }
      weights.set(parameter.name + first_moment, nn::to_plain(parameter.momentum));
      weights.set(parameter.name + second_moment, nn::to_plain(parameter.second));
      weights.set(parameter.name + counter,
                  nn::to_plain(at::scalar_tensor(parameter.steps, at::kLong)));
    }
  return weights;
}

void Optimizer::load(const network::Weights& state) {
  std::size_t found = 0;
  const auto read = [&](const std::string& name, const at::Tensor& model) {
    const network::Tensor* from = state.find(name);
    if (from == nullptr) return at::Tensor();
    if (from->shape != model.sizes().vec())
      throw Error(fmt::format("optimizer state of {}: expected shape [{}], found [{}]", name,
                              fmt::join(model.sizes(), ", "), fmt::join(from->shape, ", ")));
    ++found;
    at::Tensor tensor = at::empty_like(model, model.options().requires_grad(false));
    return tensor.copy_(nn::view_of(*from));
  };
  for (auto& group : groups_)
    for (Parameter& parameter : group) {
      const bool sgd = options_.kind == OptimizerKind::sgd;
      parameter.momentum =
          read(sgd ? parameter.name : parameter.name + first_moment, parameter.tensor);
      if (sgd || !parameter.momentum.defined()) continue;
      parameter.second = read(parameter.name + second_moment, parameter.tensor);
      const at::Tensor steps = read(parameter.name + counter, at::scalar_tensor(0, at::kLong));
      if (!parameter.second.defined() || !steps.defined())
        throw Error(fmt::format(
            "optimizer state of {}: expected both moments and the counter, found a part of them",
            parameter.name));
      parameter.steps = steps.item<std::int64_t>();
    }
  if (found != state.size())
    throw Error(
        fmt::format("optimizer state: {} of {} tensors belong to no parameter of the network, or "
                    "to another optimizer",
                    state.size() - found, state.size()));
}

}  // namespace yolov7::training
