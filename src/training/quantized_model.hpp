#pragma once
// The network of a training for 8-bit integers: folded, with the quantizers of the plan that every
// format gets, begun with the ranges of a calibration (export 9.6).
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/transform/quantization.hpp"
#include "training/data.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Puts the quantizers into the network, where the options want them: those of a resumed run, or of
/// a calibration by images of the train split, which also corrects the biases. Needs the sizes.
/// Errors: what reading images and calibrating report; stopped_error().
void start_quantizers(Model& model, const RunContext& context, const Data& data,
                      const run::RunState& state,
                      const std::optional<network::Checkpoint>& resumed);

/// The first process's scales and zero points in all of them: each calibrates for itself, and
/// processors round differently.
void take_first_ranges(network::QuantizationScales& scales, Communicator& group);

/// Whether ranges are learned in the state's epoch; says so where that changes.
void learn_ranges_for_epoch(const Model& model, const run::RunState& state);

/// The ranges as a checkpoint holds them; "" without quantizers.
std::string ranges_text(const Model& model);
/// The quantizers that `text` describes; nullptr for "".
std::unique_ptr<nn::FakeQuantizers> quantizers_of(const std::string& text, const Model& model);

/// mAP of the float32 network and of the calibrated one, before the first step: said, and written
/// to qat.json in the run folder. Every process measures its share of the images.
void measure_start(const RunContext& context, const Data& data, const Model& model,
                   const run::RunState& state);

}  // namespace yolov7::training
