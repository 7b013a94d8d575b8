#include "training/memory_trial.hpp"

#include <malloc.h>

#include <algorithm>

#include "kernels/tensor_memory.hpp"
#include "nn/batch_norm_snapshot.hpp"
#include "nn/device_memory.hpp"
#include "run/recipe.hpp"
#include "training/multi_scale.hpp"
#include "training/precision/trial_pass.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

constexpr int most_in_a_pass = 4;  ///< pictures of the second pass
constexpr int queued_batches = 6;  ///< finished or in work at the loader, and the one in use

std::int64_t bytes_of(const nn::TorchNetwork& network) {
  std::int64_t bytes = 0;
  for (const nn::TorchNetwork::Entry& entry : network.entries()) bytes += entry.tensor.numel() * 4;
  return bytes;
}

/// Most bytes of tensors at once in a forward and backward pass.
std::size_t pass_peak(const Model& model, const at::Tensor& images,
                      const std::vector<Target>& targets) {
  nn::DeviceMemory memory(images.device());
  memory.forget_peak();
  trial_pass(*model.network, *model.loss, images, targets);
  return memory.peak_bytes();
}

/// What pictures of the largest size show: peaks of tensors in passes with one and with `count`,
/// and the resident memory after each.
struct TwoPasses {
  std::size_t one = 0, several = 0;
  int count = 2;
  std::uint64_t resident_one = 0, resident_several = 0;

  double per_picture() const {
    return several > one ? static_cast<double>(several - one) / (count - 1) : 0;
  }
};

/// Of the stage that trains the most. Statistics and frozen layers are as before afterwards.
TwoPasses two_passes(const RunContext& context, const Data& data, const Model& model,
                     const run::RunState& state, const dataset::Batch& batch) {
  nn::BatchNormSnapshot statistics(*model.network);
  model.network->train(true);
  model.network->freeze(model.plan->frozen(state.options.epochs - 1), state.options.freeze_bn);
  TwoPasses passes;
  passes.count = std::clamp(batch.count, 2, most_in_a_pass);
  at::Tensor images =
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, context.device);
  if (batch.count < 2) images = at::cat({images, images});
  if (state.options.multi_scale) {
    const std::int64_t side =
        largest_multi_scale(data.train_size, data.stride) / data.stride * data.stride;
    images = at::upsample_bilinear2d(images.slice(0, 0, passes.count), {side, side}, false);
  }
  passes.one = pass_peak(model, images.slice(0, 0, 1), targets_of(batch, 0, 1));
  passes.resident_one = resident_bytes();
  passes.several =
      pass_peak(model, images.slice(0, 0, passes.count), targets_of(batch, 0, passes.count));
  passes.resident_several = resident_bytes();
  statistics.restore();
  model.network->freeze(model.plan->frozen(state.epoch), state.options.freeze_bn);
  return passes;
}

/// Tensors of the optimizer for each parameter.
int moments(const run::TrainOptions& o) { return run::optimizer_of(o) == "sgd" ? 1 : 2; }

MemoryModel measure_memory(const RunContext& context, const Data& data, const Model& model,
                           const run::RunState& state, const dataset::Batch& batch) {
  // What earlier passes left behind will serve training too: it is given back, so that the passes
  // show what they need themselves.
  kernels::keep_tensor_memory().release_unused();
  malloc_trim(0);
  const TwoPasses passes = two_passes(context, data, model, state, batch);
  const auto weights = static_cast<std::uint64_t>(bytes_of(*model.network));
  MemoryModel memory;
  // Pages over bytes of tensors, of the pictures that the second pass has more: gaps between
  // tensors. What is needed once lies in both passes.
  const std::uint64_t resident = passes.resident_several;
  const double touched = static_cast<double>(resident - std::min(resident, passes.resident_one)),
               held = passes.per_picture() * (passes.count - 1);
  memory.per_micro_picture =
      held > 0 ? std::clamp(touched / held, 1.0, 1.5) * passes.per_picture() : 0;
  // Validation comes while the memory of the training pass is kept; its batches have twice as many
  // pictures.
  const ValidationMemory validation =
      measure_validation_memory(context, data, *model.network, state.options);
  memory.per_batch_picture =
      3.0 * batch.height * batch.width * queued_batches + 2 * validation.per_picture;
  const double cache =
      std::min(state.options.cache_budget * 1e9, static_cast<double>(data.train.entries.size()) *
                                                     3.0 * data.train_size * data.train_size);
  // Resident now, less what the pictures took, plus: momentum (Adam: two), averages, and the copies
  // of all three while a checkpoint is written.
  memory.base = resident -
                std::min<std::uint64_t>(
                    resident, static_cast<std::uint64_t>(passes.count * memory.per_micro_picture)) +
                weights * static_cast<std::uint64_t>(2 * (1 + moments(state.options)) + 1) +
                static_cast<std::uint64_t>(cache + validation.fixed);
  return memory;
}

/// Of the GPU's memory: what lies in host memory is small beside it.
MemoryModel measure_gpu_memory(const RunContext& context, const Data& data, const Model& model,
                               const run::RunState& state, const dataset::Batch& batch) {
  constexpr double fragments = 1.1;  // of LibTorch's blocks, and cuDNN's working space
  nn::DeviceMemory(context.device).release_unused();
  const TwoPasses passes = two_passes(context, data, model, state, batch);
  const double picture = passes.per_picture();
  MemoryModel memory;
  memory.per_micro_picture = fragments * picture;
  memory.per_batch_picture = 4.0 * 3 * batch.height * batch.width;
  memory.base =
      static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(passes.one) - picture)) +
      static_cast<std::uint64_t>(bytes_of(*model.network)) *
          static_cast<std::uint64_t>(moments(state.options) + 1);
  return memory;
}

}  // namespace

MemoryModel measured_memory(const RunContext& context, const Data& data, const Model& model,
                            const run::RunState& state, const dataset::Batch& batch,
                            at::ScalarType compute) {
  model.network->set_compute(compute);
  return context.device.is_cpu() ? measure_memory(context, data, model, state, batch)
                                 : measure_gpu_memory(context, data, model, state, batch);
}

MemoryModel in_type(MemoryModel memory, const RunContext& context, const Data& data,
                    const Model& model, const run::RunState& state, const dataset::Batch& batch,
                    at::ScalarType compute) {
  const double before = two_passes(context, data, model, state, batch).per_picture();
  model.network->set_compute(compute);
  if (before > 0)
    memory.per_micro_picture *=
        two_passes(context, data, model, state, batch).per_picture() / before;
  return memory;
}

}  // namespace yolov7::training
