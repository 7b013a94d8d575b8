#include "cli/verbs/simulate_training.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/verb.hpp"
#include "cli/verbs/child_training.hpp"
#include "cli/verbs/model_accuracy.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "process/program_run.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

/// What the work folder is used for, so that another run does not go on in it.
void claim(const fs::path& work, const std::string& name) {
  const fs::path mark = work / "run.txt";
  if (fs::exists(mark) && file::read(mark) == name) return;
  fs::remove_all(work);
  file::make_folder(work);
  file::write_atomically(mark, name);
}

}  // namespace

std::string SimulatedRun::name() const {
  return fmt::format("seed{}-{}-round{}", seed, strategy, round);
}

SimulatedTraining::SimulatedTraining(const SimulateOptions& options, const SimulatedPool& pool)
    : o_(options), pool_(pool) {}

fs::path SimulatedTraining::work_folder(const SimulatedRun& run) const {
  return fs::absolute(o_.out) / "work" / run.strategy;
}

fs::path SimulatedTraining::folder(const SimulatedRun& run) const {
  return fs::path(o_.out) / "runs" / run.name();
}

fs::path SimulatedTraining::weights(const SimulatedRun& run) const {
  return folder(run) / "weights.pt";
}

fs::path SimulatedTraining::write_set(const SimulatedRun& run, const active::EqualSteps& steps,
                                      const std::vector<std::size_t>& labelled) const {
  const fs::path out = work_folder(run) / "set";
  if (fs::exists(out)) return out / "data.yaml";
  const auto item = [&](std::size_t i) {
    const dataset::Entry& entry = pool_.index().entries[i];
    return dataset::ExportItem{entry.picture, entry.labels, true};
  };
  // The trainer wants a val split: a few images that it has, for nothing is chosen by them.
  constexpr std::size_t most_val = 4;
  dataset::ExportSplit train{"train", {}}, val{"val", {}};
  for (const std::size_t place :
       active::repeated_places(labelled.size(), steps.images, static_cast<std::uint64_t>(run.seed)))
    train.items.push_back(item(labelled[place]));
  for (std::size_t i = 0; i < std::min(most_val, labelled.size()); ++i)
    val.items.push_back(item(labelled[i]));
  dataset::build_folder(out, [&](const fs::path& folder) {
    dataset::export_yolo(folder, pool_.index().names, {train, val}, true, interrupt::token());
  });
  return out / "data.yaml";
}

std::vector<std::string> SimulatedTraining::words(const SimulatedRun& run, const fs::path& data,
                                                  const active::EqualSteps& steps) const {
  const fs::path work = work_folder(run), train = work / "train";
  if (fs::exists(train / "weights" / "last.pt")) return {"train", "--resume", train.string()};
  fs::remove_all(train);  // killed before its first checkpoint
  std::vector<std::string> all{"train", "--data", data.string()};
  const auto add = [&](std::initializer_list<std::string> more) { all.insert(all.end(), more); };
  add({"--epochs", std::to_string(steps.epochs), "--batch-size", std::to_string(o_.batch), "--nbs",
       std::to_string(o_.batch), "--img-size", std::to_string(o_.image_size), "--seed",
       std::to_string(run.seed), "--noautoanchor", "--notest", "--project", work.string(), "--name",
       "train", "--exist-ok"});
  SimulateOptions copy = o_;
  const std::vector<std::string> further = command_line(handed_on(copy), o_.given);
  all.insert(all.end(), further.begin(), further.end());
  return all;
}

void SimulatedTraining::train(const SimulatedRun& run,
                              const std::vector<std::size_t>& labelled) const {
  if (fs::exists(weights(run))) return;
  file::make_folder(folder(run));
  const fs::path work = work_folder(run);
  process::wait_for_earlier(work / "train", "a training", interrupt::token());
  claim(work, run.name());
  const active::EqualSteps steps = active::equal_steps(labelled.size(), o_.steps, o_.batch);
  const fs::path data = write_set(run, steps, labelled), train = work / "train";
  if (!training_has_ended(train)) {
    const fs::path log_file = work / "train.log";
    log::info(fmt::format("active simulate: {} with {} images", run.name(), labelled.size()));
    const process::ProgramEnd end =
        process::run_program({words(run, data, steps), {}, "/dev/null", log_file.string()},
                             "active simulate: " + run.name(), interrupt::token());
    if (end.code != 0)
      throw Error(fmt::format("active simulate: the training {} ended by {}: {} ({})", run.name(),
                              end.end, end.last_line, log_file.string()));
    file::append_line(
        fs::path(o_.out) / "trainings.csv",
        fmt::format("{},{},{},{:.1f}", run.seed, run.strategy, run.round, end.seconds));
  }
  fs::rename(train / "weights" / "last.pt", weights(run));
  fs::remove_all(work);
}

evaluation::CocoMatches SimulatedTraining::measure(const SimulatedRun& run) const {
  api::ModelOptions options;
  options.weights = {weights(run).string()};
  const api::OpenModel model = api::open_detector(options);
  const Measurement measurement = split_measurement(
      o_.data, pool_.split(), api::usable_image_size(o_.image_size, *model.detector), model);
  MeasuredModel found = measure_model(*model.detector, measurement);
  if (found.pictures_not_finite > 0)
    throw Error(
        fmt::format("active simulate: {}: NaN or infinity in the predictions of {} of {} "
                    "images",
                    run.name(), found.pictures_not_finite, found.images));
  return std::move(found.matches);
}

}  // namespace yolov7::cli
