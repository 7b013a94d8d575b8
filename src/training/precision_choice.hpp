#pragma once
// In which type a run computes, by comparing a first batch with float32 (training 11.1).
#include <string>
#include <vector>

#include "dataset/batch.hpp"
#include "training/data.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// The first batch of the run, or its first pictures: at most `most`.
dataset::Batch first_batch(const RunContext& context, const Data& data, const run::RunState& state,
                           int most);

/// Pictures that types are compared on, at most.
inline constexpr int most_compared = 8;

/// Types narrower than float32 that a run may compute in, the best first. Error (usage): float16
/// without a GPU.
std::vector<std::string> narrow_types(at::Device device, const run::TrainOptions& options);

/// options.precision becomes what is computed in, and state.float32_first whether that begins
/// later. False: only float32, or float32 first, will do.
bool choose_precision(const RunContext& context, const Model& model, const dataset::Batch& batch,
                      run::RunState& state);

/// For a trial: the best of narrow_types(), else float32, without looking at images.
void take_precision(const RunContext& context, run::RunState& state);

/// Before an epoch of a run that is float32 so far: compares again on the same pictures, and goes
/// over to options.precision where the gradients point the same way. A function of the state alone,
/// and the same in every process.
void end_float32_in_time(const RunContext& context, const Data& data, const Model& model,
                         run::RunState& state);

}  // namespace yolov7::training
