#include "training/memory_trial.hpp"

#include <malloc.h>

#include <algorithm>

#include "kernels/tensor_memory.hpp"
#include "nn/batch_norm_snapshot.hpp"
#include "nn/device_memory.hpp"
#include "training/memory_shapes.hpp"
#include "training/multi_scale.hpp"
#include "training/precision/trial_pass.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

constexpr int most_in_a_pass = 4;  ///< pictures of the second pass

/// Most bytes of tensors at once in a forward and backward pass.
std::size_t pass_peak(const Model& model, const at::Tensor& images,
                      const std::vector<Target>& targets) {
  nn::DeviceMemory memory(images.device());
  memory.forget_peak();
  trial_pass(*model.network, *model.loss, images, targets, 1, model.distillation.get());
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

/// Statistics and frozen layers as before, also where memory does not suffice.
class TrialState {
 public:
  TrialState(const Model& model, const run::RunState& state)
      : model_(model), state_(state), statistics_(*model.network) {
    model.network->train(true);
    model.network->freeze(model.plan->frozen(state.options.epochs - 1), state.options.freeze_bn);
  }
  ~TrialState() {
    statistics_.restore();
    model_.network->freeze(model_.plan->frozen(state_.epoch), state_.options.freeze_bn);
  }
  TrialState(const TrialState&) = delete;
  TrialState& operator=(const TrialState&) = delete;

 private:
  const Model& model_;
  const run::RunState& state_;
  nn::BatchNormSnapshot statistics_;
};

/// Pictures of the batch, in the largest size that the run will have.
at::Tensor images_of(const RunContext& context, const Data& data, const run::RunState& state,
                     const dataset::Batch& batch, int count) {
  at::Tensor images =
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, context.device);
  if (batch.count < count) images = at::cat({images, images});
  if (!state.options.multi_scale) return images;
  const std::int64_t side =
      largest_multi_scale(data.train_size, data.stride) / data.stride * data.stride;
  return at::upsample_bilinear2d(images.slice(0, 0, count), {side, side}, false);
}

/// Of the stage that trains the most.
TwoPasses two_passes(const RunContext& context, const Data& data, const Model& model,
                     const run::RunState& state, const dataset::Batch& batch) {
  const TrialState trial(model, state);
  TwoPasses passes;
  passes.count = std::clamp(batch.count, 2, most_in_a_pass);
  const at::Tensor images = images_of(context, data, state, batch, passes.count);
  passes.one = pass_peak(model, images.slice(0, 0, 1), targets_of(batch, 0, 1));
  passes.resident_one = resident_bytes();
  passes.several =
      pass_peak(model, images.slice(0, 0, passes.count), targets_of(batch, 0, passes.count));
  passes.resident_several = resident_bytes();
  return passes;
}

MemoryModel measure_memory(const RunContext& context, const Data& data, const Model& model,
                           const run::RunState& state, const dataset::Batch& batch,
                           std::uint64_t allowed) {
  // What earlier passes left behind will serve training too: it is given back, so that the passes
  // show what they need themselves.
  kernels::keep_tensor_memory().release_unused();
  malloc_trim(0);
  const TwoPasses passes = two_passes(context, data, model, state, batch);
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
      measure_validation_memory(context, data, model, state.options, allowed);
  memory.per_batch_picture = queue_bytes(batch.height, batch.width) + 2 * validation.per_picture;
  // Resident now, less what the pictures took, plus what comes with the optimizer and the data.
  memory.base = resident -
                std::min<std::uint64_t>(
                    resident, static_cast<std::uint64_t>(passes.count * memory.per_micro_picture)) +
                bytes_beside_weights(*model.network, state.options) +
                static_cast<std::uint64_t>(cache_bytes(data, state.options) + validation.fixed);
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
      gpu_bytes_beside_weights(*model.network, state.options);
  return memory;
}

}  // namespace

MemoryModel measured_memory(const RunContext& context, const Data& data, const Model& model,
                            const run::RunState& state, const dataset::Batch& batch,
                            at::ScalarType compute, std::uint64_t allowed) {
  model.network->set_compute(compute);
  return context.device.is_cpu() ? measure_memory(context, data, model, state, batch, allowed)
                                 : measure_gpu_memory(context, data, model, state, batch);
}

double picture_bytes(const RunContext& context, const Data& data, const Model& model,
                     const run::RunState& state, const dataset::Batch& batch) {
  const TrialState trial(model, state);
  const auto before = static_cast<double>(nn::DeviceMemory(context.device).used_bytes());
  const at::Tensor images = images_of(context, data, state, batch, 1).slice(0, 0, 1);
  return static_cast<double>(pass_peak(model, images, targets_of(batch, 0, 1))) - before;
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
