#include "training/optimizer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

using Role = network::TensorSpec::Role;

/// The fused update walks parameter, gradient and momentum in memory order, so all three must lie alike.
at::Tensor laid_out_like(const at::Tensor& tensor, const at::Tensor& model) {
  if (tensor.strides() == model.strides() && tensor.scalar_type() == model.scalar_type()) return tensor;
  return at::empty_like(model, model.options().requires_grad(false)).copy_(tensor);
}

struct Lists {
  std::vector<at::Tensor> parameters, gradients, momenta;
};

/// One pass over the memory; it refuses momentum buffers where the momentum is 0.
void update(const Lists& list, double decay, double momentum, double rate, bool nesterov, bool first) {
  if (list.parameters.empty()) return;
  if (momentum == 0) {
    at::_foreach_copy_(list.momenta, list.gradients);
    at::_foreach_add_(list.momenta, list.parameters, decay);
    at::_foreach_add_(list.parameters, list.momenta, -rate);
  } else {
    at::_fused_sgd_(list.parameters, list.gradients, list.momenta, decay, momentum, rate, /*dampening=*/0, nesterov,
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

Sgd::Sgd(const TorchNetwork& network, double weight_decay, bool nesterov) : weight_decay_(weight_decay), nesterov_(nesterov) {
  for (const TorchNetwork::Entry& entry : network.entries())
    if (entry.spec.trainable())
      groups_[static_cast<std::size_t>(group_of(entry.spec.role))].push_back({entry.spec.name, entry.tensor, {}});
}

void Sgd::step() {
  at::NoGradGuard no_gradient;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    std::array<Lists, 2> lists;  // first step, later steps
    for (Parameter& parameter : groups_[g]) {
      if (!parameter.tensor.requires_grad() || !parameter.tensor.grad().defined()) continue;
      const bool first = !parameter.momentum.defined();
      if (first) parameter.momentum = at::zeros_like(parameter.tensor, parameter.tensor.options().requires_grad(false));
      Lists& list = lists[first ? 0 : 1];
      list.parameters.push_back(parameter.tensor);
      list.gradients.push_back(laid_out_like(parameter.tensor.grad(), parameter.tensor));
      list.momenta.push_back(parameter.momentum);
    }
    const double decay = g == static_cast<std::size_t>(ParameterGroup::weight) ? weight_decay_ : 0;
    update(lists[0], decay, momentum_, rates_[g], nesterov_, /*first=*/true);
    update(lists[1], decay, momentum_, rates_[g], nesterov_, /*first=*/false);
  }
}

void Sgd::clear_gradients() {
  for (auto& group : groups_)
    for (Parameter& parameter : group) parameter.tensor.mutable_grad().reset();
}

std::array<std::size_t, 3> Sgd::group_sizes() const { return {groups_[0].size(), groups_[1].size(), groups_[2].size()}; }

network::Weights Sgd::store() const {
  network::Weights weights;
  for (const auto& group : groups_)
    for (const Parameter& parameter : group)
      if (parameter.momentum.defined()) weights.set(parameter.name, to_plain(parameter.momentum));
  return weights;
}

void Sgd::load(const network::Weights& momentum) {
  std::size_t found = 0;
  for (auto& group : groups_)
    for (Parameter& parameter : group) {
      parameter.momentum.reset();
      const network::Tensor* from = momentum.find(parameter.name);
      if (!from) continue;
      if (from->shape != parameter.tensor.sizes().vec())
        throw Error(fmt::format("optimizer state of {}: expected shape [{}], found [{}]", parameter.name,
                                fmt::join(parameter.tensor.sizes(), ", "), fmt::join(from->shape, ", ")));
      parameter.momentum = at::empty_like(parameter.tensor, parameter.tensor.options().requires_grad(false));
      parameter.momentum.copy_(view_of(*from));
      ++found;
    }
  if (found != momentum.size())
    throw Error(fmt::format("optimizer state: {} of {} momentum buffers belong to no parameter of the network",
                            momentum.size() - found, momentum.size()));
}

}  // namespace yolov7::training
