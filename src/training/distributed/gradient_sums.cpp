#include "training/distributed/gradient_sums.hpp"

#include <torch/csrc/autograd/utils/lambda_post_hook.h>

namespace yolov7::training {

GradientSums::GradientSums(const nn::TorchNetwork& network, Communicator& group,
                           std::size_t bucket_bytes, const std::vector<at::Tensor>& beside)
    : group_(group) {
  for (const at::Tensor& tensor : beside) add(tensor, bucket_bytes);
  for (auto entry = network.entries().rbegin(); entry != network.entries().rend(); ++entry)
    if (entry->spec.trainable()) add(entry->tensor, bucket_bytes);
}

void GradientSums::add(const at::Tensor& tensor, std::size_t bucket_bytes) {
  if (buckets_.empty() || filled_ >= bucket_bytes) {
    buckets_.emplace_back();
    filled_ = 0;
  }
  filled_ += tensor.nbytes();
  Parameter parameter;
  parameter.tensor = tensor;
  parameter.bucket = buckets_.size() - 1;
  buckets_.back().parameters.push_back(parameters_.size());
  parameters_.push_back(std::move(parameter));
}

GradientSums::~GradientSums() {
  for (Parameter& parameter : parameters_)
    if (parameter.accumulator) parameter.accumulator->del_post_hook(parameter.hook);
}

void GradientSums::arm() {
  for (Bucket& bucket : buckets_) {
    bucket.missing = 0;
    bucket.sum.reset();
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& parameter = parameters_[i];
    parameter.trains = parameter.tensor.requires_grad();
    parameter.arrived = false;
    if (!parameter.trains) continue;
    ++buckets_[parameter.bucket].missing;
    if (parameter.accumulator) continue;
    // Held here: else it, and the hook with it, ends with the graph.
    parameter.accumulator = torch::autograd::impl::grad_accumulator(parameter.tensor);
    parameter.hook = parameter.accumulator->add_post_hook(
        std::make_unique<torch::autograd::utils::LambdaPostHook>(
            [this, i](const torch::autograd::variable_list& outputs,
                      const torch::autograd::variable_list&) {
              arrived(i);
              return outputs;
            }));
  }
  next_ = 0;
  armed_ = true;
}

void GradientSums::arrived(std::size_t index) {
  Parameter& parameter = parameters_[index];
  if (!armed_ || !parameter.trains || parameter.arrived) return;
  parameter.arrived = true;
  --buckets_[parameter.bucket].missing;
  send_complete(false);
}

/// In the order of the buckets, which is the same in every process.
void GradientSums::send_complete(bool all) {
  for (; next_ < buckets_.size() && (all || buckets_[next_].missing == 0); ++next_)
    send(buckets_[next_]);
}

void GradientSums::send(Bucket& bucket) {
  at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  for (const std::size_t i : bucket.parameters) {
    const Parameter& parameter = parameters_[i];
    if (!parameter.trains) continue;
    const at::Tensor& gradient = parameter.tensor.grad();
    parts.push_back(gradient.defined()
                        ? gradient.reshape(-1)
                        : at::zeros({parameter.tensor.numel()},
                                    parameter.tensor.options().requires_grad(false)));
  }
  if (parts.empty()) return;
  bucket.values = at::cat(parts);
  bucket.sum = group_.sum_later(bucket.values);
}

void GradientSums::finish() {
  if (!armed_) return;
  armed_ = false;
  send_complete(true);
  at::NoGradGuard no_gradient;
  for (Bucket& bucket : buckets_) {
    if (bucket.sum) bucket.sum->wait();
    std::int64_t first = 0;
    for (const std::size_t i : bucket.parameters) {
      Parameter& parameter = parameters_[i];
      if (!parameter.trains) continue;
      const std::int64_t count = parameter.tensor.numel();
      const at::Tensor values =
          bucket.values.narrow(0, first, count).view(parameter.tensor.sizes());
      at::Tensor& gradient = parameter.tensor.mutable_grad();
      if (gradient.defined())
        gradient.copy_(values);
      else
        gradient = values.clone().contiguous(parameter.tensor.suggest_memory_format());
      first += count;
    }
    bucket.values.reset();
    bucket.sum.reset();
  }
}

}  // namespace yolov7::training
