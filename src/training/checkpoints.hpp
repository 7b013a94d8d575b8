#pragma once
// When which checkpoint is written, and what is in it (training 3, 10, 17). Of several processes
// the first one writes.
#include <filesystem>

#include "training/data.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// weights/init.pt: the network before the first step.
void write_initial(const RunContext& context, const Data& data, const Model& model);
/// weights/last.pt: everything that continuing needs, in float32. The one before it stays as
/// last.previous.pt.
void write_last(const RunContext& context, const Data& data, const Model& model,
                const run::RunState& state);
/// What a run continues from: last.pt, or where that is damaged or missing last.previous.pt, which
/// is said, and copied to last.pt by the process that writes: the next write_last() keeps what is
/// there. Error: neither can be read.
network::Checkpoint read_last(const RunContext& context);
/// last.pt, and the averaged weights alone (float32) as best.pt, best_EEE.pt (best from epoch 200
/// on) and epoch_EEE.pt (the first, every 25th, the last five), as the options ask. last.pt is the
/// last one: a run that ends in between goes on from before this epoch's end, and writes them
/// again.
void write_epoch_checkpoints(const RunContext& context, const Data& data, const Model& model,
                             const run::RunState& state, int epoch, bool best, bool last);
/// After the last epoch: measures best.pt in half precision and keeps that form if its COCO mAP50
/// and mAP stay within 0.0005; writes pictures, curves and tables of that final validation. One
/// that an earlier end of the run left in half precision is measured as it is. last.pt stays whole,
/// so that the run can be extended.
void finish_run(const RunContext& context, const Data& data, const Model& model,
                const run::TrainOptions& options);

}  // namespace yolov7::training
