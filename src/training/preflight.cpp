#include "training/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/device_memory.hpp"
#include "training/memory_shapes.hpp"
#include "training/memory_trial.hpp"
#include "training/precision/precision.hpp"
#include "training/precision_choice.hpp"

namespace yolov7::training {
namespace {

/// As long as this object lives, tensors stay within what the process may hold.
class TensorLimit {
 public:
  TensorLimit(at::Device device, const Room& room) : memory_(kernels::keep_tensor_memory()) {
    if (!device.is_cpu()) return;
    const std::uint64_t others = room.resident - std::min(room.resident, memory_.used_bytes());
    memory_.set_limit(std::max<std::uint64_t>(room.allowed - std::min(room.allowed, others), 1));
  }
  ~TensorLimit() { memory_.set_limit(0); }
  TensorLimit(const TensorLimit&) = delete;
  TensorLimit& operator=(const TensorLimit&) = delete;

 private:
  kernels::TensorMemory& memory_;
};

/// Whether the action finds its memory, in every process.
template <class Action>
bool fits(Communicator& group, Action action) {
  bool failed = false;
  try {
    action();
  } catch (const kernels::OutOfMemory&) {
    failed = true;
  } catch (const c10::OutOfMemoryError&) {
    failed = true;
  }
  return !group.any(failed);
}

/// Pictures that --autobatch takes at most.
int most_for_autobatch(const Data& data, const run::TrainOptions& o) {
  return std::min(std::max(o.nbs, 1), static_cast<int>(data.train.entries.size()));
}

/// Of all processes together, at once. What is predicted and compared is one process's: its share
/// of the batch, and of what this machine has left. 0: none.
int largest_batch(Communicator& group, const Data& data, const run::TrainOptions& o,
                  const MemoryModel& memory, const Room& room) {
  const int most = o.autobatch ? most_for_autobatch(data, o) : o.batch_size;
  return group.size() *
         static_cast<int>(group.least(memory.largest_batch(most / group.size(), room.allowed)));
}

[[noreturn]] void refuse(const MemoryModel& memory, const Room& room, int own_batch, int largest) {
  const std::string what = fits_text(memory, room, own_batch, 1);
  throw Error(largest > 0
                  ? fmt::format("memory: {}, even in micro-batches of 1: {} {} fits", what,
                                setting_name("batch-size"), largest)
                  : fmt::format("memory: {}, and no batch fits: lower {} or take a smaller network",
                                what, setting_name("img-size")));
}

/// Pictures of this process that go through the network at once. Error: not even one fits.
int micro_batch_that_fits(const RunContext& context, const Data& data, const run::TrainOptions& o,
                          const MemoryModel& memory, const Room& room) {
  Communicator& group = *context.group;
  const int own = context.own(o.batch_size), largest = largest_batch(group, data, o, memory, room),
            micro = static_cast<int>(group.least(memory.largest_micro(own, room.allowed)));
  if (o.autobatch ? largest == 0 : micro == 0) refuse(memory, room, own, largest);
  return micro;
}

MemoryPlan choose_batch(const RunContext& context, const Data& data, run::TrainOptions& o,
                        const MemoryModel& memory) {
  const Room r = room(context, o.memory_limit);
  if (o.autobatch) {
    micro_batch_that_fits(context, data, o, memory, r);
    o.batch_size = largest_batch(*context.group, data, o, memory, r);
    o.autobatch = false;  // the choice is part of the run from here on
    log::info(fmt::format("batch: {} is the largest up to {} that fits", o.batch_size,
                          most_for_autobatch(data, o)));
  }
  const int own = context.own(o.batch_size),
            micro = micro_batch_that_fits(context, data, o, memory, r);
  MemoryPlan plan;
  plan.micro_batch = micro < own ? micro : 0;
  plan.predicted_peak = memory.peak(own, micro);
  plan.model = memory;
  plan.allowed = r.allowed;
  plan.limited_by = r.limited_by;
  log::info("memory: " + fits_text(memory, r, own, micro));
  if (plan.micro_batch > 0)
    log::warning(fmt::format(
        "the batch of {} does not fit at once: it goes through the network in parts of {}, with "
        "one step for all; batch-norms see {} images at a time instead of {}, "
        "so the result is near that of the whole batch and not equal to it",
        own, micro, micro, own));
  return plan;
}

/// Measured; where not even two pictures fit at once, from shapes and what one takes. Error: one
/// does not fit either.
MemoryModel memory_model(const RunContext& context, const Data& data, const Model& model,
                         const run::RunState& state, const dataset::Batch& batch,
                         at::ScalarType compute) {
  nn::DeviceMemory(context.device).release_unused();
  const Room r = room(context, state.options.memory_limit);
  const TensorLimit limit(context.device, r);
  MemoryModel memory;
  if (fits(*context.group, [&] {
        memory = measured_memory(context, data, model, state, batch, compute, r.allowed);
      }))
    return memory;
  nn::DeviceMemory(context.device).release_unused();
  memory = memory_from_shapes(context, data, model, state,
                              room(context, state.options.memory_limit).resident,
                              static_cast<int>(c10::elementSize(compute)));
  if (!fits(*context.group,
            [&] { memory.per_micro_picture = picture_bytes(context, data, model, state, batch); }))
    refuse(memory, r, context.own(state.options.batch_size), 0);
  return memory;
}

/// float32 at first takes more memory: only where the whole batch fits at once. Else the narrow
/// type takes over at once, or never.
MemoryPlan choose_batch_of_float32_first(const RunContext& context, const Data& data,
                                         const Model& model, run::RunState& state,
                                         const dataset::Batch& batch, bool narrow_will_do) {
  run::TrainOptions& o = state.options;
  const MemoryModel memory =
      memory_model(context, data, model, state, batch, model.network->type());
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

/// Refuses what cannot fit before anything is computed: by shapes, in the narrowest type that the
/// run may take.
void require_room(const RunContext& context, const Data& data, const Model& model,
                  const run::RunState& state, bool resumed) {
  const run::TrainOptions& o = state.options;
  const std::vector<std::string> types =
      narrow_types(context.device, o);  // refuses float16 without a GPU
  const bool narrow = resumed ? compute_type(o.precision) != at::kFloat : !types.empty();
  const Room r = room(context, o.memory_limit);
  micro_batch_that_fits(context, data, o,
                        memory_from_shapes(context, data, model, state, r.resident, narrow ? 2 : 4),
                        r);
}

/// The first pictures of the run, as many as fit in float32 up to those that types are compared on;
/// and what choose_precision() says of them.
struct FirstPictures {
  dataset::Batch batch;
  bool narrow_will_do = true;
};

FirstPictures compare_types(const RunContext& context, const Data& data, const Model& model,
                            run::RunState& state, bool resumed) {
  Communicator& group = *context.group;
  const run::RunState before = state;
  const double limit = state.options.memory_limit;
  FirstPictures first;
  int pictures = static_cast<int>(group.least(
      pictures_for_trial(context, data, model, state, room(context, limit), most_compared)));
  for (;; pictures = (pictures + 1) / 2) {
    first.batch = first_batch(context, data, state, pictures);
    const TensorLimit tensors(context.device, room(context, limit));
    if (fits(group, [&] {
          first.narrow_will_do = resumed || choose_precision(context, model, first.batch, state);
        }))
      return first;
    state = before;
    nn::DeviceMemory(context.device).release_unused();
    if (pictures == 1) break;
  }
  state.options.precision = narrow_types(context.device, state.options).front();
  log::warning(fmt::format(
      "precision: {}, without a comparison: one image in float32 does not fit into memory",
      state.options.precision));
  return first;
}

}  // namespace

MemoryPlan preflight(const RunContext& context, const Data& data, const Model& model,
                     run::RunState& state, bool resumed) {
  require_room(context, data, model, state, resumed);
  const FirstPictures first = compare_types(context, data, model, state, resumed);
  const MemoryPlan plan = state.float32_first
                              ? choose_batch_of_float32_first(context, data, model, state,
                                                              first.batch, first.narrow_will_do)
                              : choose_batch(context, data, state.options,
                                             memory_model(context, data, model, state, first.batch,
                                                          compute_type(state.options.precision)));
  model.network->set_compute(state.float32_first ? model.network->type()
                                                 : compute_type(state.options.precision));
  if (!context.device.is_cpu()) nn::DeviceMemory(context.device).forget_peak();
  return plan;
}

}  // namespace yolov7::training
