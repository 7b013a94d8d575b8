#include "training/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "nn/device_memory.hpp"
#include "training/memory_trial.hpp"
#include "training/precision/precision.hpp"
#include "training/precision_choice.hpp"

namespace yolov7::training {
namespace {

MemoryPlan choose_batch(const RunContext& context, const Data& data, run::TrainOptions& o,
                        const MemoryModel& memory) {
  const Room r = room(context, o.memory_limit);
  Communicator& group = *context.group;
  const int most = std::min(std::max(o.nbs, 1), static_cast<int>(data.train.entries.size()));
  // What is predicted and compared is one process's: its share of the batch, and of what this
  // machine has left.
  const int processes = group.size();
  const int largest = processes * static_cast<int>(group.least(memory.largest_batch(
                                      (o.autobatch ? most : o.batch_size) / processes, r.allowed)));
  const auto refuse = [&] {
    const std::string what = fits_text(memory, r, context.own(o.batch_size), 1);
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
  const int micro =
      static_cast<int>(group.least(memory.largest_micro(context.own(o.batch_size), r.allowed)));
  if (micro == 0) refuse();
  MemoryPlan plan;
  plan.micro_batch = micro < context.own(o.batch_size) ? micro : 0;
  plan.predicted_peak = memory.peak(context.own(o.batch_size), micro);
  log::info("memory: " + fits_text(memory, r, context.own(o.batch_size), micro));
  if (plan.micro_batch > 0)
    log::warning(fmt::format(
        "the batch of {} does not fit at once: it goes through the network in parts of {}, with "
        "one step for all; batch-norms see {} pictures at a time instead of {}, "
        "so the result is near that of the whole batch and not equal to it",
        context.own(o.batch_size), micro, micro, context.own(o.batch_size)));
  return plan;
}

/// float32 at first takes more memory: only where the whole batch fits at once. Else the narrow
/// type takes over at once, or never.
MemoryPlan choose_batch_of_float32_first(const RunContext& context, const Data& data,
                                         const Model& model, run::RunState& state,
                                         const dataset::Batch& batch, bool narrow_will_do) {
  run::TrainOptions& o = state.options;
  const MemoryModel memory =
      measured_memory(context, data, model, state, batch, model.network->type());
  const Room r = room(context, o.memory_limit);
  const int whole = o.autobatch ? 1 : context.own(o.batch_size);
  state.float32_first = !context.group->any(memory.peak(whole, whole) > r.allowed);
  if (state.float32_first) return choose_batch(context, data, o, memory);
  log::info(fmt::format("precision: {}: float32 at first does not fit ({})",
                        narrow_will_do ? o.precision + " from the first step on" : "float32",
                        fits_text(memory, r, whole, whole)));
  if (narrow_will_do)
    return choose_batch(
        context, data, o,
        in_type(memory, context, data, model, state, batch, compute_type(o.precision)));
  o.precision = "float32";
  return choose_batch(context, data, o, memory);
}

}  // namespace

MemoryPlan preflight(const RunContext& context, const Data& data, const Model& model,
                     run::RunState& state, bool resumed) {
  const dataset::Batch batch = first_batch(context, data, state, most_compared);
  const bool narrow_will_do = resumed || choose_precision(context, model, batch, state);
  const MemoryPlan plan =
      state.float32_first
          ? choose_batch_of_float32_first(context, data, model, state, batch, narrow_will_do)
          : choose_batch(context, data, state.options,
                         measured_memory(context, data, model, state, batch,
                                         compute_type(state.options.precision)));
  model.network->set_compute(state.float32_first ? model.network->type()
                                                 : compute_type(state.options.precision));
  if (!context.device.is_cpu()) nn::DeviceMemory(context.device).forget_peak();
  return plan;
}

}  // namespace yolov7::training
