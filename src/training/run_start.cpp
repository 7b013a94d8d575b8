#include "training/run_start.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "training/checkpoints.hpp"
#include "training/fine_tuning/start_weights.hpp"

namespace yolov7::training {
namespace fs = std::filesystem;
namespace {

void lock_folder(RunContext& context) {
  if (!context.writes()) return;
  context.lock = file::Lock::try_acquire(context.folder / ".lock");
  if (!context.lock)
    throw Error(
        fmt::format("{}: another process is training in this run folder", context.folder.string()));
}

/// Paths that hold from any working folder, so that a run can be resumed from another one.
void make_paths_absolute(run::TrainOptions& o) {
  if (!o.data.empty()) o.data = dataset::absolute_data(o.data);
  for (std::string* path : {&o.cfg, &o.weights, &o.hyp, &o.distill.teacher, &o.semi.unlabelled})
    if (!path->empty() && !(path == &o.weights && names_start(*path)) && fs::exists(*path))
      *path = fs::absolute(*path).lexically_normal().string();
}

void open_new(RunContext& context, run::RunState& state, const TrainRequest& request) {
  context.folder = context.group->from_first(request.run_folder);
  lock_folder(context);
  state.options = request.options;
  state.hyp = run::read_hyperparameters(request.options.hyp);
  if (text::contains(request.given, "label-smoothing"))
    state.hyp.label_smoothing = request.options.label_smoothing;  // 0 as well (training F32)
  make_paths_absolute(state.options);
  if (context.writes()) file::make_folder(context.folder / "weights");
}

void require_more_to_do(const run::RunState& state, const TrainRequest& request,
                        const fs::path& path) {
  if (state.ended && !text::contains(request.given, "patience") &&
      !text::contains(request.given, "time") && !text::contains(request.given, "epochs"))
    throw Error(
        fmt::format("{}: the run ended after {} of {} epochs by {} or {}: nothing to resume "
                    "(another {}, {} or {} goes on)",
                    path.string(), state.epoch, state.options.epochs, setting_name("patience"),
                    setting_name("time"), setting_name("patience"), setting_name("time"),
                    setting_name("epochs")));
  if (state.epoch >= state.options.epochs)
    throw Error(fmt::format(
        "{}: all {} epochs are done: nothing to resume ({} M with M > {} extends the run)",
        path.string(), state.options.epochs, setting_name("epochs"), state.epoch));
}

}  // namespace

OpenedRun open_run(RunContext& context, run::RunState& state, const TrainRequest& request) {
  if (request.options.resume.empty()) {
    open_new(context, state, request);
    return {};
  }
  // The other processes read the file that rank 0 found, so they need the same folder.
  const fs::path path = context.group->from_first(
      context.writes() ? fs::absolute(run::find_resume_checkpoint(request.options.resume,
                                                                  request.options.project))
                             .string()
                       : std::string());
  context.folder = fs::absolute(path).lexically_normal().parent_path().parent_path();
  lock_folder(context);
  if (context.writes()) {
    file::remove_temporaries(context.folder);
    file::remove_temporaries(context.folder / "weights");
  }
  network::Checkpoint checkpoint =
      path.filename() == "last.pt" ? read_last(context) : network::read_checkpoint(path);
  network::check_finite(checkpoint.inference_weights(), path.string());
  state = run::run_state(checkpoint.state, path.string());
  const int epochs_before = state.options.epochs;
  state.options = run::resumed_options(state.options, request.options, request.given);
  make_paths_absolute(state.options);
  require_more_to_do(state, request, path);
  state.ended = false;
  for (const char* room : {"device", "memory-limit"})
    if (text::contains(request.given, room)) state.micro_batch = 0;  // of another memory
  log::info(fmt::format("resuming {} at epoch {}, batch {}", context.folder.string(), state.epoch,
                        state.batch));
  if (state.micro_batch > 0)
    log::info(fmt::format(
        "memory did not suffice before: a batch goes through the network in parts of {} at most",
        state.micro_batch));
  return {std::move(checkpoint), epochs_before};
}

}  // namespace yolov7::training
