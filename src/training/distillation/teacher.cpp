#include "training/distillation/teacher.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/graph/links.hpp"
#include "network/transform/reparameterize.hpp"

namespace yolov7::training {
namespace {

network::Checkpoint read(const std::string& path) {
  network::Checkpoint checkpoint = network::read_checkpoint(path);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", path, note));
  return checkpoint;
}

}  // namespace

Teacher::Teacher(const std::string& path, at::Device device) : Teacher(read(path), path, device) {}

Teacher::Teacher(const network::Checkpoint& checkpoint, const std::string& source,
                 at::Device device)
    : source_(source), names_(checkpoint.names) {
  const network::Weights& weights = checkpoint.inference_weights();
  network::check_finite(weights, source);
  hash_ = file::content_hash(network::tensors_hash(weights) + "\n" + text::join(names_, "\n"));
  const network::NetworkAndWeights folded = network::fuse(checkpoint.build_network(), weights);
  network_ = std::make_unique<nn::TorchNetwork>(folded.network, at::kFloat, device);
  network_->load(folded.weights);
  network_->train(false);
  for (const nn::TorchNetwork::Entry& entry : network_->entries())
    at::Tensor(entry.tensor).requires_grad_(false);
  inputs_ = network::head_inputs(description());
  for (const int value : inputs_)
    widths_.push_back(description().value_channels[static_cast<std::size_t>(value)]);
}

nn::TorchNetwork::Outputs Teacher::operator()(const at::Tensor& images, at::ScalarType compute) {
  at::NoGradGuard no_gradient;
  network_->set_compute(compute);
  return network_->forward(images, inputs_);
}

}  // namespace yolov7::training
