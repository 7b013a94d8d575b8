#include "training/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "evaluation/batch_pictures.hpp"
#include "image/codec/codec.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/device_memory.hpp"
#include "run/epoch_display.hpp"
#include "training/checkpoints.hpp"
#include "training/loss/class_weights.hpp"
#include "training/preflight.hpp"
#include "training/run_watch.hpp"
#include "training/setup.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Trainer {
 public:
  explicit Trainer(Setup& setup) : s_(setup), step_(setup), watch_(setup) {}

  TrainSummary run() {
    const int epochs = s_.state.options.epochs;
    while (s_.state.epoch < epochs && !s_.state.ended) {
      if (!train_epoch()) return interrupted();
      finish_epoch(s_.state.epoch + 1 == epochs);
      if (pauses_after(s_.state.epoch - 1)) return stopped();
    }
    finish_run(s_);
    watch_.finished(s_.state.records);
    say_memory();
    return summary(false);
  }

 private:
  /// One pass over the data. False: interrupted, and the state says where to go on.
  bool train_epoch() {
    record_ = run::EpochRecord{};
    record_.epoch = s_.state.epoch;
    s_.network->train(true);
    step_.drop_pending();
    if (s_.state.epoch > 0 && s_.plan->changes_at(s_.state.epoch)) freeze_for(s_, s_.state.epoch);
    if (s_.state.float32_first && s_.state.epoch > 0 && s_.state.batch == 0)
      end_float32_in_time(s_);
    const auto first = static_cast<std::size_t>(s_.state.batch), batches = s_.loader->batches();
    epoch_start_ = Clock::now();
    seconds_before_ = s_.state.seconds;
    display_.begin(s_.state.epoch, s_.state.options.epochs, first, batches);
    if (s_.state.options.image_weights)
      s_.loader->set_weights(picture_weights(s_.train, s_.state.class_ap));
    s_.schedule->observe(fitness_so_far());
    s_.loader->start(s_.state.epoch, first);
    std::size_t pictures = 0;
    for (auto batch = next_batch(); batch; batch = next_batch()) {
      train_batch(*batch);
      pictures += static_cast<std::size_t>(batch->count * s_.group->size());
      ++s_.state.batch;
      take_mean_losses();
      display_.batch(record_, static_cast<std::size_t>(s_.state.batch),
                     static_cast<double>(pictures) / seconds_since(epoch_start_));
      // Only where no gradient is pending; an epoch's end counts, for what is pending then is
      // dropped anyway (training K05).
      const bool last = s_.state.batch == static_cast<std::int64_t>(batches);
      if (step_.pending() && !last) continue;
      if (s_.group->any(interrupt::requested())) return false;
      if (!last) checkpoint_in_time();
    }
    s_.state.seconds = seconds_before_ + seconds_since(epoch_start_);
    record_.train_seconds = seconds_since(epoch_start_);
    record_.pictures_per_second = static_cast<double>(pictures) / record_.train_seconds;
    return true;
  }

  std::optional<dataset::Batch> next_batch() {
    const auto start = Clock::now();
    auto batch = s_.loader->next();
    record_.data_wait_seconds += seconds_since(start);
    return batch;
  }

  void train_batch(const dataset::Batch& batch) {
    const std::int64_t iteration =
        s_.state.batch + static_cast<std::int64_t>(s_.loader->batches()) * s_.state.epoch;
    if (iteration < 10 && s_.group->writes()) {
      const auto sheet = s_.folder / fmt::format("train_batch{}.jpg", iteration);
      write_picture(sheet, evaluation::label_sheet(batch, s_.train));
      watch_.picture(0, sheet);
    }
    const StepResult result = step_.run(batch, iteration);
    if (result.skipped && s_.state.skipped_in_row >= most_skipped_in_row) roll_back();
    for (std::size_t i = 0; i < 4; ++i) s_.state.loss_sum[i] += result.losses[i];
    record_.targets = static_cast<int>(batch.targets.size());
    record_.image_size = batch.width;
  }

  /// Weights, averages and optimizer as last.pt has them; the position in the data stays, or the
  /// same batches would come again.
  void roll_back() {
    const auto path = s_.folder / "weights" / "last.pt";
    const std::string what =
        fmt::format("{} batches in a row were not finite", s_.state.skipped_in_row);
    const std::string advice = "lower lr0, or train with --precision float32";
    if (s_.state.options.nosave)
      throw Error(fmt::format("{}, and --nosave left nothing to go back to: {}", what, advice));
    if (++s_.state.rollbacks > most_rollbacks)
      throw Error(fmt::format(
          "{}, after {} times of going back to the last good state: {}; last.pt holds it", what,
          most_rollbacks, advice));
    const network::Checkpoint good = read_last(s_.folder);
    s_.network->load(good.model);
    s_.ema->load(good.ema, run::run_state(good.state, path.string()).ema_updates);
    s_.optimizer->load(good.optimizer);
    s_.state.skipped_in_row = 0;
    log::warning(fmt::format(
        "{}: back to the weights of {} ({} of at most {} times); the data go on from here", what,
        path.string(), s_.state.rollbacks, most_rollbacks));
  }

  /// last.pt in the middle of an epoch, so that a kill costs no more than --checkpoint-seconds.
  void checkpoint_in_time() {
    const run::TrainOptions& o = s_.state.options;
    if (o.nosave || o.checkpoint_seconds <= 0 || seconds_since(last_write_) < o.checkpoint_seconds)
      return;
    write_state();
  }

  /// What other objects count goes into the state.
  void gather_state() {
    s_.state.ema_updates = s_.ema->updates();
    if (s_.state.options.autobalance) s_.state.loss_balance = s_.loss->balance();
  }

  /// last.pt within an epoch.
  void write_state() {
    s_.state.seconds = seconds_before_ + seconds_since(epoch_start_);
    gather_state();
    write_last(s_);
    last_write_ = Clock::now();
  }

  std::vector<double> fitness_so_far() const {
    std::vector<double> values;
    for (const run::EpochRecord& record : s_.state.records) values.push_back(record.fitness);
    return values;
  }

  void take_mean_losses() {
    for (std::size_t i = 0; i < 4; ++i)
      record_.train_loss[i] =
          s_.state.loss_sum[i] / static_cast<double>(std::max<std::int64_t>(s_.state.batch, 1));
  }

  /// --stop-after: the run is not over, this call is.
  bool pauses_after(int epoch) const {
    const run::TrainOptions& o = s_.state.options;
    return o.stop_after > 0 && epoch + 1 >= o.stop_after && epoch + 1 < o.epochs && !s_.state.ended;
  }

  void finish_epoch(bool last) {
    const bool end_of_call = last || pauses_after(s_.state.epoch);
    run::RunState& state = s_.state;
    take_mean_losses();
    record_.rates = s_.optimizer->rates();
    if (!state.records.empty()) repeat_validation(record_, state.records.back());
    take_first_processes_values();
    if (!state.options.notest || end_of_call) {
      const auto start = Clock::now();
      validate(s_, record_);
      record_.val_seconds = seconds_since(start);
    }
    const bool best = record_.validated &&
                      record_.fitness >= state.best_fitness;  // ties overwrite (training K29)
    if (best) {
      state.best_fitness = record_.fitness;
      state.best_epoch = record_.epoch;
    }
    state.records.push_back(record_);
    if (s_.group->writes()) run::append_result(s_.folder, record_, state.options.epochs);
    watch_.epoch(state.records);
    ++state.epoch;
    state.batch = 0;
    state.loss_sum = {};
    gather_state();
    const std::string reason = last ? std::string() : end_reason();
    state.ended = !reason.empty();
    write_epoch_checkpoints(s_, record_.epoch, best, end_of_call || state.ended);
    last_write_ = Clock::now();
    display_.end(record_, last || state.ended);
    if (state.ended)
      log::info(fmt::format("training ends after epoch {} of {}: {}", record_.epoch,
                            state.options.epochs - 1, reason));
  }

  /// Where processes differ without any harm to the training: statistics of batch-norms that each
  /// kept for itself, and the time.
  void take_first_processes_values() {
    if (s_.group->size() == 1) return;
    at::Tensor seconds = at::full({1}, s_.state.seconds, at::kDouble);
    std::vector<at::Tensor> values{seconds};
    for (const nn::TorchNetwork* network :
         std::initializer_list<const nn::TorchNetwork*>{s_.network.get(), &s_.ema->average()})
      for (const nn::TorchNetwork::Entry& entry : network->entries())
        if (entry.spec.role == network::TensorSpec::Role::bn_mean ||
            entry.spec.role == network::TensorSpec::Role::bn_var)
          values.push_back(entry.tensor);
    s_.group->copy_from_first(values);
    s_.state.seconds = seconds.item<double>();
  }

  /// Why no further epoch is to begin; "" = it is.
  std::string end_reason() const {
    const run::TrainOptions& o = s_.state.options;
    const int waited = record_.epoch - std::max(s_.state.best_epoch, 0);
    if (o.patience > 0 && !o.notest && waited >= o.patience)
      return fmt::format("no better fitness for {} epochs (--patience {})", waited, o.patience);
    if (o.time > 0 && s_.state.seconds >= o.time * 3600)
      return fmt::format("{:.2f} hours of training (--time {})", s_.state.seconds / 3600, o.time);
    return {};
  }

  TrainSummary interrupted() {
    write_state();
    log::info(fmt::format("interrupted; {} can be resumed at epoch {}, batch {}",
                          (s_.folder / "weights" / "last.pt").string(), s_.state.epoch,
                          s_.state.batch));
    watch_.interrupted();
    return summary(true);
  }

  TrainSummary stopped() {
    log::info(fmt::format("stopped after {} of {} epochs (--stop-after); --resume {} goes on",
                          s_.state.epoch, s_.state.options.epochs, s_.folder.string()));
    watch_.interrupted();
    return summary(false);
  }

  TrainSummary summary(bool was_interrupted) const {
    TrainSummary out;
    out.run_folder = s_.folder.string();
    out.epochs_done = s_.state.epoch;
    out.best_epoch = s_.state.best_epoch;
    out.best_fitness = std::max(0.0, s_.state.best_fitness);
    for (const run::EpochRecord& record : s_.state.records)
      if (record.epoch == s_.state.best_epoch) {
        out.map50 = record.coco_map50;
        out.map = record.coco_map;
      }
    out.seconds = s_.state.seconds;
    out.interrupted = was_interrupted;
    out.skipped_batches = s_.state.skipped;
    out.predicted_peak_bytes = s_.predicted_peak;
    out.peak_bytes = real_peak();
    const auto existing = [&](const char* name) {
      const auto path = s_.folder / "weights" / name;
      return std::filesystem::exists(path) ? path.string() : std::string();
    };
    out.best = existing("best.pt");
    out.last = existing("last.pt");
    return out;
  }

  /// Of what was predicted: this process's resident memory, or the GPU's tensors.
  std::uint64_t real_peak() const {
    return s_.device.is_cpu() ? peak_resident_bytes() : nn::DeviceMemory(s_.device).peak_bytes();
  }

  void say_memory() const {
    const std::uint64_t real = real_peak();
    if (s_.predicted_peak == 0) return;
    log::info(fmt::format(
        "memory: peak {}, predicted {} ({:+.0f} %)", memory_text(real),
        memory_text(s_.predicted_peak),
        100 * (static_cast<double>(s_.predicted_peak) / static_cast<double>(real) - 1)));
  }

  static constexpr int most_skipped_in_row = 3, most_rollbacks = 3;
  Setup& s_;
  Step step_;
  RunWatch watch_;
  run::EpochDisplay display_;
  run::EpochRecord record_;
  Clock::time_point epoch_start_ = Clock::now(), last_write_ = Clock::now();
  double seconds_before_ = 0;  ///< of training before this epoch began in this process
};

}  // namespace

namespace {

TrainSummary train_with(const TrainRequest& request, Communicator& group) {
  Setup setup = prepare(request, group);
  if (!group.writes()) log::set_level(log::Level::warning);
  if (request.options.resume.empty()) {
    write_initial(setup);
    if (!setup.state.options.nosave) write_last(setup);
  }
  return Trainer(setup).run();
}

}  // namespace

TrainSummary train(const TrainRequest& request) {
  kernels::keep_tensor_memory();
  if (!request.world.writes()) {
    // What all would say while they prepare, one says.
    log::set_speaker(fmt::format("rank {}: ", request.world.rank));
    log::set_level(log::Level::error);
  }
  const auto group = Communicator::join(
      request.world,
      std::chrono::seconds(static_cast<std::int64_t>(std::ceil(request.options.peer_timeout))));
  try {
    return train_with(request, *group);
  } catch (const std::exception& error) {
    group->fail(error.what());
    // A Ctrl-C reaches the processes one after the other: that another one is gone is then no
    // failure.
    if (group->size() > 1 && interrupt::requested())
      throw Error("interrupted", ExitCode::interrupted);
    throw;
  }
}

}  // namespace yolov7::training
