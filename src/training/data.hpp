#pragma once
// The pictures of a run: the two splits, their sizes, and how the training split is loaded
// (training 5).
#include <memory>
#include <optional>

#include "dataset/index/index.hpp"
#include "dataset/loading/loader.hpp"
#include "network/checkpoint/checkpoint.hpp"
#include "run/run_state.hpp"
#include "training/marks.hpp"
#include "training/run_context.hpp"
#include "training/unlabelled_data.hpp"

namespace yolov7::training {

/// The loader holds the address of `train`: never moved once there is one.
struct Data {
  dataset::Index train, val;
  int train_size = 640, val_size = 640, stride = 32;
  std::unique_ptr<dataset::BatchLoader> loader;
  TrainMarks marks;                            ///< of `train`
  std::unique_ptr<UnlabelledData> unlabelled;  ///< null: no images without labels
};

/// Reads train and val. With a resumed checkpoint: Error that names the first difference to the
/// data that the run began with, unless --accept-changed-data; then the epoch begins anew.
void read_data(Data& data, const RunContext& context, run::RunState& state,
               const std::optional<network::Checkpoint>& resumed);

/// The sizes that the options ask for, rounded up to the largest stride of the networks that see
/// the images, which is said.
void choose_sizes(Data& data, const run::TrainOptions& options, double stride);

/// Images without labels, where the options want them to take part; their loaders are made by
/// start_unlabelled(). Errors: as of dataset::read_unlabelled(); `resumed`: others than those that
/// the run began with, unless --accept-changed-data.
void open_unlabelled(Data& data, const RunContext& context, run::RunState& state, bool resumed);
/// Their loaders. Needs the batch size.
void start_unlabelled(Data& data, const RunContext& context, const run::RunState& state);

/// At most `workers`: processes of one machine share its cores.
int loader_threads(const Communicator& group, int workers);
/// How the training split is loaded. Needs the indices and sizes.
dataset::LoaderOptions loader_options(const Data& data, const Communicator& group,
                                      const run::RunState& state);

}  // namespace yolov7::training
