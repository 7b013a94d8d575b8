#pragma once
// Validation of the averaged weights during training, through the detector that users run.
#include <cstdint>
#include <filesystem>
#include <vector>

#include "network/graph/weights.hpp"
#include "training/data.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// COCO and official metrics of the averaged weights in float32 at conf 0.001, IoU 0.65, and the
/// plain loss of the raw maps; fitness = 0.1 · mAP50 + 0.9 · mAP of the COCO metric.
/// They go into the record; returned is the AP of every class.
std::vector<double> validate(const RunContext& context, const Data& data, const Model& model,
                             const run::TrainOptions& options, run::EpochRecord& record);
/// Copies the validation columns of an earlier epoch (epochs without validation repeat them).
void repeat_validation(run::EpochRecord& record, const run::EpochRecord& earlier);
double fitness(double map50, double map);

struct FinalMetrics {
  double map50 = 0, map = 0;
};
/// The same measurement of given weights; `folder` not empty: pictures, curves and tables go there.
/// `quantizers`: of weights that are rounded.
FinalMetrics measure(const RunContext& context, const Data& data, const network::Network& network,
                     const run::TrainOptions& options, const network::Weights& weights,
                     const std::filesystem::path& folder,
                     const nn::FakeQuantizers* quantizers = nullptr);

/// Resident memory of a validation, bytes.
struct ValidationMemory {
  double fixed = 0, per_picture = 0;  ///< the whole, and besides for each picture of a batch
};
/// From the shapes of the network at the largest picture: rather less than it will be.
ValidationMemory validation_from_shapes(const RunContext& context, const Data& data,
                                        const nn::TorchNetwork& network,
                                        const run::TrainOptions& options);
/// Measured, by a detector that runs two and four pictures of the largest shape and is gone
/// afterwards; where these take more than `allowed` bytes of the process, from shapes.
ValidationMemory measure_validation_memory(const RunContext& context, const Data& data,
                                           const Model& model, const run::TrainOptions& options,
                                           std::uint64_t allowed);

}  // namespace yolov7::training
