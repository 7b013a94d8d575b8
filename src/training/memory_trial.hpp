#pragma once
// What a picture takes in the passes of a training, measured on real ones.
#include "dataset/batch.hpp"
#include "training/data.hpp"
#include "training/memory_model.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// The model of a run that computes in this type, by two passes with one and with several pictures
/// of the batch. The network computes in it afterwards; weights, statistics, gradients and frozen
/// layers are as before. `allowed`: bytes of this process. Errors: kernels::OutOfMemory and
/// c10::OutOfMemoryError where the passes themselves do not fit.
MemoryModel measured_memory(const RunContext& context, const Data& data, const Model& model,
                            const run::RunState& state, const dataset::Batch& batch,
                            at::ScalarType compute, std::uint64_t allowed);

/// Most bytes of tensors in a pass with one picture of the batch, of the stage that trains the
/// most. Errors as above.
double picture_bytes(const RunContext& context, const Data& data, const Model& model,
                     const run::RunState& state, const dataset::Batch& batch);

/// A measured model, of another type: by what its passes take, for resident memory that was touched
/// once tells nothing the second time.
MemoryModel in_type(MemoryModel memory, const RunContext& context, const Data& data,
                    const Model& model, const run::RunState& state, const dataset::Batch& batch,
                    at::ScalarType compute);

}  // namespace yolov7::training
