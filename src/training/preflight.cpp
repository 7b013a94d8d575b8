#include "training/preflight.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/batch_norm_snapshot.hpp"
#include "nn/device.hpp"
#include "nn/device_memory.hpp"
#include "run/recipe.hpp"
#include "training/multi_scale.hpp"
#include "training/precision/precision.hpp"
#include "training/precision/trial_pass.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

constexpr int most_checked = 8;     ///< pictures of the precision check
constexpr int most_in_a_pass = 4;   ///< pictures of the second pass that measures memory
constexpr double kept_free = 0.05;  ///< of the available memory, for what the model does not know
constexpr int queued_batches = 6;   ///< finished or in work at the loader, and the one in use

/// The first batch of the run, or its first pictures.
dataset::Batch first_batch(Setup& s) {
  dataset::LoaderOptions options = loader_options(s);
  options.batch_size =
      std::min(std::max(s.state.options.batch_size, options.quad ? 4 : 1), most_checked);
  options.cache_bytes = 0;
  options.parts = 1;  // the same pictures, and the same findings, in every process
  options.part = 0;
  options.prefetch = 1;
  dataset::BatchLoader loader(s.train, options);
  loader.start(0);
  auto batch = loader.next();
  if (!batch) throw Error("expected a first batch, found none");
  return std::move(*batch);
}

std::int64_t bytes_of(const nn::TorchNetwork& network) {
  std::int64_t bytes = 0;
  for (const nn::TorchNetwork::Entry& entry : network.entries()) bytes += entry.tensor.numel() * 4;
  return bytes;
}

/// Most bytes of tensors at once in a forward and backward pass.
std::size_t pass_peak(Setup& s, const at::Tensor& images, const std::vector<Target>& targets) {
  nn::DeviceMemory memory(s.device);
  memory.forget_peak();
  trial_pass(*s.network, *s.loss, images, targets);
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
TwoPasses two_passes(Setup& s, const dataset::Batch& batch) {
  nn::BatchNormSnapshot statistics(*s.network);
  s.network->train(true);
  s.network->freeze(s.plan->frozen(s.state.options.epochs - 1), s.state.options.freeze_bn);
  TwoPasses passes;
  passes.count = std::clamp(batch.count, 2, most_in_a_pass);
  at::Tensor images =
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, s.device);
  if (batch.count < 2) images = at::cat({images, images});
  if (s.state.options.multi_scale) {
    const std::int64_t side = largest_multi_scale(s.train_size, s.stride) / s.stride * s.stride;
    images = at::upsample_bilinear2d(images.slice(0, 0, passes.count), {side, side}, false);
  }
  passes.one = pass_peak(s, images.slice(0, 0, 1), targets_of(batch, 0, 1));
  passes.resident_one = resident_bytes();
  passes.several =
      pass_peak(s, images.slice(0, 0, passes.count), targets_of(batch, 0, passes.count));
  passes.resident_several = resident_bytes();
  statistics.restore();
  s.network->freeze(s.plan->frozen(s.state.epoch), s.state.options.freeze_bn);
  return passes;
}

/// Tensors of the optimizer for each parameter.
int moments(const run::TrainOptions& o) { return run::optimizer_of(o) == "sgd" ? 1 : 2; }

MemoryModel measure_memory(Setup& s, const dataset::Batch& batch) {
  // What earlier passes left behind will serve training too: it is given back, so that the passes
  // show what they need themselves.
  kernels::keep_tensor_memory().release_unused();
  malloc_trim(0);
  const TwoPasses passes = two_passes(s, batch);
  const auto weights = static_cast<std::uint64_t>(bytes_of(*s.network));
  MemoryModel model;
  // Pages over bytes of tensors, of the pictures that the second pass has more: gaps between
  // tensors. What is needed once lies in both passes.
  const std::uint64_t resident = passes.resident_several;
  const double touched = static_cast<double>(resident - std::min(resident, passes.resident_one)),
               held = passes.per_picture() * (passes.count - 1);
  model.per_micro_picture =
      held > 0 ? std::clamp(touched / held, 1.0, 1.5) * passes.per_picture() : 0;
  // Validation comes while the memory of the training pass is kept; its batches have twice as many
  // pictures.
  const ValidationMemory validation = measure_validation_memory(s);
  model.per_batch_picture =
      3.0 * batch.height * batch.width * queued_batches + 2 * validation.per_picture;
  const double cache =
      std::min(s.state.options.cache_budget * 1e9,
               static_cast<double>(s.train.entries.size()) * 3.0 * s.train_size * s.train_size);
  // Resident now, less what the pictures took, plus: momentum (Adam: two), averages, and the copies
  // of all three while a checkpoint is written.
  model.base = resident -
               std::min<std::uint64_t>(
                   resident, static_cast<std::uint64_t>(passes.count * model.per_micro_picture)) +
               weights * static_cast<std::uint64_t>(2 * (1 + moments(s.state.options)) + 1) +
               static_cast<std::uint64_t>(cache + validation.fixed);
  return model;
}

/// Of the GPU's memory: what lies in host memory is small beside it.
MemoryModel measure_gpu_memory(Setup& s, const dataset::Batch& batch) {
  constexpr double fragments = 1.1;  // of LibTorch's blocks, and cuDNN's working space
  nn::DeviceMemory(s.device).release_unused();
  const TwoPasses passes = two_passes(s, batch);
  const double picture = passes.per_picture();
  MemoryModel model;
  model.per_micro_picture = fragments * picture;
  model.per_batch_picture = 4.0 * 3 * batch.height * batch.width;
  model.base =
      static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(passes.one) - picture)) +
      static_cast<std::uint64_t>(bytes_of(*s.network)) *
          static_cast<std::uint64_t>(moments(s.state.options) + 1);
  return model;
}

/// Types narrower than float32 that may be taken, the best first.
std::vector<std::string> narrow_types(const Setup& s) {
  const run::TrainOptions& o = s.state.options;
  if (o.precision == "float16" && s.device.is_cpu())
    throw usage_error(
        "--precision float16: expected a GPU; the processor's narrow type is bfloat16");
  if (o.precision != "auto")
    return o.precision == "float32" && !o.amp
               ? std::vector<std::string>{}
               : std::vector<std::string>{o.precision == "float32" ? "bfloat16" : o.precision};
  if (s.device.is_cpu())
    return o.amp || processor_computes_bfloat16() ? std::vector<std::string>{"bfloat16"}
                                                  : std::vector<std::string>{};
  return nn::gpu_computes_bfloat16(s.device) ? std::vector<std::string>{"bfloat16", "float16"}
                                             : std::vector<std::string>{"float16"};
}

PrecisionCheck compared_with_float32(Setup& s, const dataset::Batch& batch,
                                     const std::string& type) {
  return check_precision(
      *s.network, *s.loss,
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, s.device),
      batch.targets, compute_type(type));
}

/// False: only float32, or float32 first, will do.
bool choose_precision(Setup& s, const dataset::Batch& batch) {
  run::TrainOptions& o = s.state.options;
  const std::vector<std::string> types = narrow_types(s);
  const bool chosen_here = o.precision == "auto";
  o.precision = "float32";
  if (types.empty()) {
    log::info(fmt::format("precision: float32{}",
                          chosen_here ? " (this processor does not multiply bfloat16)" : ""));
    return true;
  }
  for (const std::string& type : types) {
    const PrecisionCheck check = compared_with_float32(s, batch, type);
    if (check.aligned || check.undecided) {
      o.precision = type;
      s.state.float32_first = check.undecided;
      log::info(fmt::format(
          "precision: {}{}, compared with float32 on {} pictures: {} (--precision float32 switches "
          "it off)",
          type, check.aligned ? "" : " from when its gradients point where float32's do",
          batch.count, check.text()));
      return check.accepted;
    }
    log::warning(fmt::format("precision: {} is too far off on {} pictures: {}{}", type, batch.count,
                             check.text(), type == types.back() ? "; float32 is taken" : ""));
  }
  o.amp = false;
  return true;
}

std::string fits_text(const MemoryModel& model, const AvailableMemory& left, std::uint64_t resident,
                      int batch, int micro) {
  return fmt::format("predicted peak {} with a batch of {}{}; {} allows {}",
                     memory_text(model.peak(batch, micro)), batch,
                     micro < batch ? fmt::format(" in micro-batches of {}", micro) : "",
                     left.limited_by, memory_text(resident + left.bytes));
}

/// What one process may use, and what it uses by now.
struct Room {
  std::uint64_t resident = 0, allowed = 0;
  AvailableMemory left;
};

Room room(const Setup& s) {
  const nn::DeviceMemory device(s.device);
  Room r;
  r.resident = s.device.is_cpu() ? resident_bytes() : device.used_bytes();
  r.left = s.device.is_cpu()
               ? available_memory(static_cast<std::uint64_t>(s.state.options.memory_limit * 1e9))
               : AvailableMemory{device.free_bytes(), "the GPU"};
  r.allowed = r.resident +
              static_cast<std::uint64_t>(static_cast<double>(r.left.bytes) * (1 - kept_free) /
                                         (s.device.is_cpu() ? s.group->world().local_size : 1));
  return r;
}

void choose_batch(Setup& s, const MemoryModel& model) {
  run::TrainOptions& o = s.state.options;
  const Room r = room(s);
  const int most = std::min(std::max(o.nbs, 1), static_cast<int>(s.train.entries.size()));
  // What is predicted and compared is one process's: its share of the batch, and of what this
  // machine has left.
  const int processes = s.group->size();
  const int largest = processes * static_cast<int>(s.group->least(model.largest_batch(
                                      (o.autobatch ? most : o.batch_size) / processes, r.allowed)));
  const auto refuse = [&] {
    const std::string what = fits_text(model, r.left, r.resident, s.own_batch(), 1);
    throw Error(
        largest > 0
            ? fmt::format("memory: {}, even in micro-batches of 1: --batch-size {} fits", what,
                          largest)
            : fmt::format(
                  "memory: {}, and no batch fits: lower --img-size or take a smaller network",
                  what));
  };
  if (o.autobatch) {
    if (largest == 0) refuse();
    o.batch_size = largest;
    o.autobatch = false;  // the choice is part of the run from here on
    log::info(fmt::format("batch: {} is the largest up to {} that fits", largest, most));
  }
  const int micro = static_cast<int>(s.group->least(model.largest_micro(s.own_batch(), r.allowed)));
  if (micro == 0) refuse();
  s.micro_batch = micro < s.own_batch() ? micro : 0;
  s.predicted_peak = model.peak(s.own_batch(), micro);
  log::info("memory: " + fits_text(model, r.left, r.resident, s.own_batch(), micro));
  if (s.micro_batch > 0)
    log::warning(fmt::format(
        "the batch of {} does not fit at once: it goes through the network in parts of {}, with "
        "one step for all; batch-norms see {} pictures at a time instead of {}, "
        "so the result is near that of the whole batch and not equal to it",
        s.own_batch(), micro, micro, s.own_batch()));
}

MemoryModel memory_model(Setup& s, const dataset::Batch& batch, at::ScalarType compute) {
  s.network->set_compute(compute);
  return s.device.is_cpu() ? measure_memory(s, batch) : measure_gpu_memory(s, batch);
}

/// The model of another type: by what its passes take, for resident memory that was touched once
/// tells nothing the second time.
MemoryModel in_type(MemoryModel model, Setup& s, const dataset::Batch& batch,
                    at::ScalarType compute) {
  const double before = two_passes(s, batch).per_picture();
  s.network->set_compute(compute);
  if (before > 0) model.per_micro_picture *= two_passes(s, batch).per_picture() / before;
  return model;
}

/// float32 at first takes more memory: only where the whole batch fits at once. Else the narrow
/// type takes over at once, or never.
void choose_batch_of_float32_first(Setup& s, const dataset::Batch& batch, bool narrow_will_do) {
  run::TrainOptions& o = s.state.options;
  const MemoryModel model = memory_model(s, batch, s.network->type());
  const Room r = room(s);
  const int whole = o.autobatch ? 1 : s.own_batch();
  s.state.float32_first = !s.group->any(model.peak(whole, whole) > r.allowed);
  if (s.state.float32_first) return choose_batch(s, model);
  log::info(fmt::format("precision: {}: float32 at first does not fit ({})",
                        narrow_will_do ? o.precision + " from the first step on" : "float32",
                        fits_text(model, r.left, r.resident, whole, whole)));
  if (narrow_will_do) return choose_batch(s, in_type(model, s, batch, compute_type(o.precision)));
  o.precision = "float32";
  choose_batch(s, model);
}

}  // namespace

std::uint64_t MemoryModel::peak(int batch, int micro) const {
  return base + static_cast<std::uint64_t>(per_micro_picture * micro + per_batch_picture * batch);
}

int MemoryModel::largest_batch(int most, std::uint64_t bytes) const {
  for (int batch = most; batch > 0; --batch)
    if (peak(batch, batch) <= bytes) return batch;
  return 0;
}

int MemoryModel::largest_micro(int batch, std::uint64_t bytes) const {
  for (int micro = batch;; micro = (micro + 1) / 2) {
    if (peak(batch, micro) <= bytes) return micro;
    if (micro == 1) return 0;
  }
}

void preflight(Setup& s, bool resumed) {
  const dataset::Batch batch = first_batch(s);
  const bool narrow_will_do = resumed || choose_precision(s, batch);
  if (s.state.float32_first)
    choose_batch_of_float32_first(s, batch, narrow_will_do);
  else
    choose_batch(s, memory_model(s, batch, compute_type(s.state.options.precision)));
  s.network->set_compute(s.state.float32_first ? s.network->type()
                                               : compute_type(s.state.options.precision));
  if (!s.device.is_cpu()) nn::DeviceMemory(s.device).forget_peak();
}

void end_float32_in_time(Setup& s) {
  const std::string& type = s.state.options.precision;
  const PrecisionCheck check = compared_with_float32(s, first_batch(s), type);
  if (!check.aligned) return;
  s.state.float32_first = false;
  s.network->set_compute(compute_type(type));
  log::info(
      fmt::format("epoch {}: precision: {} from here on: {}", s.state.epoch, type, check.text()));
}

}  // namespace yolov7::training
