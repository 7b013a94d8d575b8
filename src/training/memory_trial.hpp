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
/// layers are as before.
MemoryModel measured_memory(const RunContext& context, const Data& data, const Model& model,
                            const run::RunState& state, const dataset::Batch& batch,
                            at::ScalarType compute);

/// A measured model, of another type: by what its passes take, for resident memory that was touched
/// once tells nothing the second time.
MemoryModel in_type(MemoryModel memory, const RunContext& context, const Data& data,
                    const Model& model, const run::RunState& state, const dataset::Batch& batch,
                    at::ScalarType compute);

}  // namespace yolov7::training
