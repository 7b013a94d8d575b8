#include "training/run_start.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/index/read_index.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "run/data_manifest.hpp"
#include "training/checkpoints.hpp"
#include "training/fine_tuning/start_weights.hpp"

namespace yolov7::training {
namespace fs = std::filesystem;
namespace {

void lock_folder(Setup& s) {
  if (!s.group->writes()) return;
  s.lock = file::Lock::try_acquire(s.folder / ".lock");
  if (!s.lock)
    throw Error(
        fmt::format("{}: another process is training in this run folder", s.folder.string()));
}

/// Paths that hold from any working folder, so that a run can be resumed from another one.
void make_paths_absolute(run::TrainOptions& o) {
  for (std::string* path : {&o.data, &o.cfg, &o.weights, &o.hyp})
    if (!path->empty() && !(path == &o.weights && names_start(*path)) && fs::exists(*path))
      *path = fs::absolute(*path).lexically_normal().string();
}

void open_new(Setup& s, const TrainRequest& request) {
  s.folder = s.group->from_first(request.run_folder);
  lock_folder(s);
  s.state.options = request.options;
  s.state.hyp = run::read_hyperparameters(request.options.hyp);
  make_paths_absolute(s.state.options);
  if (s.group->writes()) file::make_folder(s.folder / "weights");
}

void require_more_to_do(const Setup& s, const TrainRequest& request, const fs::path& path) {
  if (s.state.ended && !text::contains(request.given, "patience") &&
      !text::contains(request.given, "time") && !text::contains(request.given, "epochs"))
    throw Error(
        fmt::format("{}: the run ended after {} of {} epochs by --patience or --time: nothing to "
                    "resume (another --patience, --time or --epochs goes on)",
                    path.string(), s.state.epoch, s.state.options.epochs));
  if (s.state.epoch >= s.state.options.epochs)
    throw Error(fmt::format(
        "{}: all {} epochs are done: nothing to resume (--epochs M with M > {} extends the run)",
        path.string(), s.state.options.epochs, s.state.epoch));
}

}  // namespace

std::optional<network::Checkpoint> open_run(Setup& s, const TrainRequest& request) {
  if (request.options.resume.empty()) {
    open_new(s, request);
    return std::nullopt;
  }
  // The other processes read the file that rank 0 found, so they need the same folder.
  const fs::path path = s.group->from_first(
      s.group->writes() ? fs::absolute(run::find_resume_checkpoint(request.options.resume,
                                                                   request.options.project))
                              .string()
                        : std::string());
  s.folder = fs::absolute(path).lexically_normal().parent_path().parent_path();
  lock_folder(s);
  if (s.group->writes()) {
    file::remove_temporaries(s.folder);
    file::remove_temporaries(s.folder / "weights");
  }
  network::Checkpoint checkpoint =
      path.filename() == "last.pt" ? read_last(s.folder) : network::read_checkpoint(path);
  network::check_finite(checkpoint.inference_weights(), path.string());
  s.state = run::run_state(checkpoint.state, path.string());
  s.epochs_before = s.state.options.epochs;
  s.state.options = run::resumed_options(s.state.options, request.options, request.given);
  make_paths_absolute(s.state.options);
  require_more_to_do(s, request, path);
  s.state.ended = false;
  log::info(fmt::format("resuming {} at epoch {}, batch {}", s.folder.string(), s.state.epoch,
                        s.state.batch));
  return checkpoint;
}

void read_data(Setup& s, const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = s.state.options;
  s.description = dataset::read_description(o.data);
  // The first process reads the pictures and leaves the index behind, the others find it.
  if (!s.group->writes()) s.group->any(false);
  dataset::IndexOptions index{o.single_cls, o.strict, o.recheck, true, 0};
  s.train = dataset::read_index(s.description, "train", index);
  index.training = false;
  s.val = dataset::read_index(s.description, "val", index);
  if (s.group->writes()) s.group->any(false);
  if (s.val.label_count() == 0)
    log::warning(
        "the val split has no object: every metric will be 0, and no epoch can be told to be the "
        "best");
  const auto shared = dataset::shared_pictures(s.train, s.val);
  if (!shared.empty()) {
    log::warning(fmt::format(
        "{} pictures are in train and in val: the validation numbers are too good", shared.size()));
    for (std::size_t i = 0; i < std::min<std::size_t>(shared.size(), 5); ++i)
      log::warning(fmt::format("  {} = {}", shared[i].first.string(), shared[i].second.string()));
  }
  if (resumed && resumed->dataset_identity != s.train.identity) {
    const std::string difference = run::first_difference(s.folder, s.train);
    if (!o.accept_changed_data)
      throw Error(
          fmt::format("the train split of {} is not the one this run began with: {} "
                      "(--accept-changed-data continues all the same)",
                      o.data, difference));
    log::warning(fmt::format("the train split changed since this run began: {}", difference));
    s.state.batch = 0;  // the epoch begins anew: its batches are others now
    s.state.loss_sum = {};
  }
  if (!s.group->writes()) return;
  if (!resumed || resumed->dataset_identity != s.train.identity)
    run::write_manifest(s.folder, s.train);
}

}  // namespace yolov7::training
