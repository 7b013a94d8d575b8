#pragma once
// How the memory of a run grows, from shapes alone: known before the first picture is read.
#include "training/data.hpp"
#include "training/memory_model.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Momentum (Adam: two), averages, and the copies of all and of the weights while a checkpoint is
/// written: bytes.
std::uint64_t bytes_beside_weights(const nn::TorchNetwork& network,
                                   const run::TrainOptions& options);
/// The GPU's share of them: momentum and averages.
std::uint64_t gpu_bytes_beside_weights(const nn::TorchNetwork& network,
                                       const run::TrainOptions& options);
/// Decoded pictures that the loader keeps.
double cache_bytes(const Data& data, const run::TrainOptions& options);
/// A picture of this many pixels in the loader's queue of batches.
double queue_bytes(int height, int width);
/// Pixels of a training picture: of the first batch, and with --multi-scale of the largest one.
cv::Size training_shape(const RunContext& context, const Data& data, const run::RunState& state);

/// A run that computes in a type of so many bytes. Activations count for somewhat less than their
/// shapes say, so that nothing is refused which a measurement would find to fit.
MemoryModel memory_from_shapes(const RunContext& context, const Data& data, const Model& model,
                               const run::RunState& state, std::uint64_t resident, int value_bytes);

/// The most pictures, up to `most` and at least one, of which a pass in float32 beside the loader
/// that reads them should stay within the room.
int pictures_for_trial(const RunContext& context, const Data& data, const Model& model,
                       const run::RunState& state, const Room& room, int most);

}  // namespace yolov7::training
