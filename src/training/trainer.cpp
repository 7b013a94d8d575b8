#include "training/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "evaluation/batch_pictures.hpp"
#include "image/codec/codec.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/device_memory.hpp"
#include "training/changed_data.hpp"
#include "training/checkpoints.hpp"
#include "training/loss/class_weights.hpp"
#include "training/precision_choice.hpp"
#include "training/quantized_model.hpp"
#include "training/rollback.hpp"
#include "training/teacher_choice.hpp"
#include "training/validation.hpp"

namespace yolov7::training {

Trainer::Trainer(PreparedRun& run, Clock now)
    : now_(std::move(now)),
      context_(run.context),
      state_(run.state),
      data_(run.data),
      model_(run.model),
      schedule_(*run.schedule),
      predicted_peak_(run.memory.predicted_peak),
      load_(run.load),
      step_(run.context, run.data, run.model, *run.schedule, run.state, run.memory.micro_batch),
      watch_(run.context, run.data, run.model.network->description(), run.state),
      started_(run.started),
      epoch_start_(now_()),
      last_write_(epoch_start_) {}

double Trainer::seconds_since(std::chrono::steady_clock::time_point start) const {
  return std::chrono::duration<double>(now_() - start).count();
}

TrainSummary Trainer::run() {
  const int epochs = state_.options.epochs;
  while (state_.epoch < epochs && !state_.ended) {
    if (!train_epoch()) return interrupted();
    finish_epoch(state_.epoch + 1 == epochs);
    if (pauses_after(state_.epoch - 1)) return stopped();
  }
  finish_run(context_, data_, model_, state_.options);
  watch_.finished(state_.records);
  say_memory();
  return summary(false);
}

/// Fewer threads while other processes keep cores busy: the parts of a step are equal, so one that
/// shares its core holds up all others.
void Trainer::adapt_threads() {
  const auto others = load_ ? load_->others() : std::nullopt;
  if (!others) return;
  const int threads = threads_beside(context_.threads, *others);
  if (threads == at::get_num_threads()) return;
  at::set_num_threads(threads);
  log::info(
      fmt::format("other processes keep {:.1f} of {} cores busy: {} compute threads from here on "
                  "(--threads sets a number that stays)",
                  *others, context_.threads, threads));
}

/// What changes from one epoch to the next, up to the first batch.
void Trainer::begin_epoch() {
  adapt_threads();
  record_ = run::EpochRecord{};
  record_.epoch = state_.epoch;
  model_.network->train(true);
  step_.drop_pending();
  if (state_.epoch > 0 && model_.plan->changes_at(state_.epoch)) freeze_for_epoch(model_, state_);
  distill_for_epoch(model_, state_);
  learn_ranges_for_epoch(model_, state_);
  if (state_.float32_first && state_.epoch > 0 && state_.batch == 0)
    end_float32_in_time(context_, data_, model_, state_);
  const auto first = static_cast<std::size_t>(state_.batch);
  epoch_start_ = now_();
  seconds_before_ = state_.seconds;
  epoch_seconds_before_ = state_.epoch_sums[0];
  display_.begin(state_.epoch, state_.options.epochs, first, data_.loader->batches());
  if (state_.options.image_weights)
    data_.loader->set_weights(picture_weights(data_.train, state_.class_ap));
  schedule_.observe(fitness_so_far());
  data_.loader->start(state_.epoch, first);
}

/// One pass over the data. False: interrupted, and the state says where to go on.
bool Trainer::train_epoch() {
  begin_epoch();
  std::size_t pictures = 0;
  for (auto batch = next_batch(); batch; batch = next_batch()) {
    train_batch(*batch);
    const int count = batch->count * context_.group->size();
    pictures += static_cast<std::size_t>(count);
    state_.epoch_sums[2] += count;
    ++state_.batch;
    take_mean_losses();
    display_.batch(record_, static_cast<std::size_t>(state_.batch),
                   static_cast<double>(pictures) / seconds_since(epoch_start_));
    // Only where no gradient is pending; an epoch's end counts, for what is pending then is
    // dropped anyway (training K05).
    const bool last = state_.batch == static_cast<std::int64_t>(data_.loader->batches());
    if (step_.pending() && !last) continue;
    if (context_.group->any(context_.stop.stop_requested())) return false;
    if (!last) checkpoint_in_time();
  }
  take_seconds();
  record_.train_seconds = state_.epoch_sums[0];
  record_.data_wait_seconds = state_.epoch_sums[1];
  record_.pictures_per_second = state_.epoch_sums[2] / record_.train_seconds;
  return true;
}

std::optional<dataset::Batch> Trainer::next_batch() {
  const auto start = now_();
  auto batch = data_.loader->next();
  const double waited = seconds_since(start);
  record_.data_wait_seconds += waited;
  state_.epoch_sums[1] += waited;
  return batch;
}

void Trainer::train_batch(const dataset::Batch& batch) {
  const std::int64_t iteration =
      state_.batch + static_cast<std::int64_t>(data_.loader->batches()) * state_.epoch;
  if (iteration < 10 && context_.writes()) {
    const auto sheet = context_.folder / fmt::format("train_batch{}.jpg", iteration);
    write_picture(sheet, evaluation::label_sheet(batch, data_.train));
    watch_.picture(0, sheet);
  }
  const StepResult result = step_.run(batch, iteration);
  if (const auto started = std::exchange(started_, nullptr)) started();
  if (result.skipped && state_.skipped_in_row >= most_skipped_in_row)
    roll_back(context_, model_, state_);
  for (std::size_t i = 0; i < 4; ++i) state_.loss_sum[i] += result.losses[i];
  state_.distill_sum += result.distilled;
  for (std::size_t i = 0; i < 4; ++i) state_.unlabelled_sums[i] += result.unlabelled[i];
  state_.last_batch = {static_cast<int>(batch.targets.size()), batch.width};
  take_last_batch();
}

/// Also where it was trained before a stop.
void Trainer::take_last_batch() {
  const auto batches = static_cast<std::int64_t>(data_.loader->batches());
  record_.targets = state_.last_batch[0];
  record_.image_size = state_.last_batch[1];
  record_.rates = schedule_.at((state_.epoch + 1) * batches - 1).rates;
}

/// last.pt in the middle of an epoch, so that a kill costs no more than --checkpoint-seconds.
void Trainer::checkpoint_in_time() {
  const run::TrainOptions& o = state_.options;
  if (o.nosave || o.checkpoint_seconds <= 0 || seconds_since(last_write_) < o.checkpoint_seconds)
    return;
  write_state();
}

/// What other objects count goes into the state.
void Trainer::gather_state() {
  state_.ema_updates = model_.ema->updates();
  if (state_.options.autobalance) state_.loss_balance = model_.loss->balance();
}

/// Also those of the epoch that were before a stop.
void Trainer::take_seconds() {
  const double passed = seconds_since(epoch_start_);
  state_.seconds = seconds_before_ + passed;
  state_.epoch_sums[0] = epoch_seconds_before_ + passed;
}

/// last.pt within an epoch.
void Trainer::write_state() {
  take_seconds();
  gather_state();
  write_last(context_, data_, model_, state_);
  last_write_ = now_();
}

std::vector<double> Trainer::fitness_so_far() const {
  std::vector<double> values;
  for (const run::EpochRecord& record : state_.records) values.push_back(record.fitness);
  return values;
}

/// Batches of the epoch so far that its means are taken over; at least 1.
double Trainer::counted_batches() const {
  return static_cast<double>(std::max<std::int64_t>(state_.batch - state_.skipped_in_epoch, 1));
}

void Trainer::take_mean_losses() {
  const double batches = counted_batches();
  for (std::size_t i = 0; i < 4; ++i) record_.train_loss[i] = state_.loss_sum[i] / batches;
  record_.distill_loss = state_.distill_sum / batches;
}

/// What the epoch made of images without labels.
void Trainer::say_unlabelled() const {
  const auto& [loss, images, labels, regions] = state_.unlabelled_sums;
  if (images > 0)
    log::info(
        fmt::format("epoch {}: {:.0f} images without labels, {:.0f} labels and {:.0f} ignored "
                    "regions of the averaged network; their loss {:.4g}",
                    state_.epoch, images, labels, regions, loss / counted_batches()));
}

/// --stop-after: the run is not over, this call is.
bool Trainer::pauses_after(int epoch) const {
  const run::TrainOptions& o = state_.options;
  return o.stop_after > 0 && epoch + 1 >= o.stop_after && epoch + 1 < o.epochs && !state_.ended;
}

/// Whether this epoch is the best so far.
bool Trainer::take_best() {
  const bool best =
      record_.validated && record_.fitness >= state_.best_fitness;  // ties overwrite (training K29)
  if (!best) return false;
  state_.best_fitness = record_.fitness;
  state_.best_epoch = record_.epoch;
  return true;
}

void Trainer::finish_epoch(bool last) {
  const bool end_of_call = last || pauses_after(state_.epoch);
  take_mean_losses();
  take_last_batch();
  say_unlabelled();
  if (!state_.records.empty()) repeat_validation(record_, state_.records.back());
  take_first_processes_values();
  if (!state_.options.notest || end_of_call) {
    const auto start = now_();
    state_.class_ap = validate(context_, data_, model_, state_.options, record_);
    record_.val_seconds = seconds_since(start);
  }
  const bool best = take_best();
  state_.records.push_back(record_);
  if (context_.writes()) run::append_result(context_.folder, record_, state_.options.epochs);
  watch_.epoch(state_.records);
  ++state_.epoch;
  begin_epoch_anew(state_);
  gather_state();
  const std::string reason = last ? std::string() : end_reason();
  state_.ended = !reason.empty();
  write_epoch_checkpoints(context_, data_, model_, state_, record_.epoch, best,
                          end_of_call || state_.ended);
  last_write_ = now_();
  display_.end(record_, last || state_.ended);
  if (state_.ended)
    log::info(fmt::format("training ends after epoch {} of {}: {}", record_.epoch,
                          state_.options.epochs - 1, reason));
}

/// Where processes differ without any harm to the training: statistics of batch-norms that each
/// kept for itself, and the time.
void Trainer::take_first_processes_values() {
  if (context_.group->size() == 1) return;
  at::Tensor seconds = at::full({1}, state_.seconds, at::kDouble);
  std::vector<at::Tensor> values{seconds};
  for (const nn::TorchNetwork* network :
       std::initializer_list<const nn::TorchNetwork*>{model_.network.get(), &model_.ema->average()})
    for (const nn::TorchNetwork::Entry& entry : network->entries())
      if (entry.spec.role == network::TensorSpec::Role::bn_mean ||
          entry.spec.role == network::TensorSpec::Role::bn_var)
        values.push_back(entry.tensor);
  context_.group->copy_from_first(values);
  state_.seconds = seconds.item<double>();
}

/// Why no further epoch is to begin; "" = it is.
std::string Trainer::end_reason() const {
  const run::TrainOptions& o = state_.options;
  const int waited = record_.epoch - std::max(state_.best_epoch, 0);
  if (o.patience > 0 && !o.notest && waited >= o.patience)
    return fmt::format("{} epochs below the best fitness ({} {})", waited, setting_name("patience"),
                       o.patience);
  if (o.time > 0 && state_.seconds >= o.time * 3600)
    return fmt::format("{:.2f} hours of training ({} {})", state_.seconds / 3600,
                       setting_name("time"), o.time);
  return {};
}

TrainSummary Trainer::interrupted() {
  write_state();
  log::info(fmt::format("interrupted; {} can be resumed at epoch {}, batch {}",
                        (context_.folder / "weights" / "last.pt").string(), state_.epoch,
                        state_.batch));
  watch_.interrupted();
  return summary(true);
}

TrainSummary Trainer::stopped() {
  log::info(fmt::format("stopped after {} of {} epochs ({}); {} {} goes on", state_.epoch,
                        state_.options.epochs, setting_name("stop-after"), setting_name("resume"),
                        context_.folder.string()));
  watch_.interrupted();
  return summary(false);
}

TrainSummary Trainer::summary(bool was_interrupted) const {
  TrainSummary out;
  out.run_folder = context_.folder.string();
  out.epochs_done = state_.epoch;
  out.best_epoch = state_.best_epoch;
  out.best_fitness = std::max(0.0, state_.best_fitness);
  for (const run::EpochRecord& record : state_.records)
    if (record.epoch == state_.best_epoch) {
      out.map50 = record.coco_map50;
      out.map = record.coco_map;
    }
  out.seconds = state_.seconds;
  out.interrupted = was_interrupted;
  out.skipped_batches = state_.skipped;
  out.predicted_peak_bytes = predicted_peak_;
  out.peak_bytes = real_peak();
  const auto existing = [&](const char* name) {
    const auto path = context_.folder / "weights" / name;
    return std::filesystem::exists(path) ? path.string() : std::string();
  };
  out.best = existing("best.pt");
  out.last = existing("last.pt");
  return out;
}

/// Of what was predicted: this process's resident memory, or the GPU's tensors.
std::uint64_t Trainer::real_peak() const {
  return context_.device.is_cpu() ? peak_resident_bytes()
                                  : nn::DeviceMemory(context_.device).peak_bytes();
}

void Trainer::say_memory() const {
  const std::uint64_t real = real_peak();
  if (predicted_peak_ == 0) return;
  log::info(fmt::format(
      "memory: peak {}, predicted {} ({:+.0f} %)", memory_text(real), memory_text(predicted_peak_),
      100 * (static_cast<double>(predicted_peak_) / static_cast<double>(real) - 1)));
}

namespace {

TrainSummary train_with(const TrainRequest& request, Communicator& group) {
  const std::unique_ptr<PreparedRun> run = prepare(request, group);
  if (request.prepared) request.prepared();
  if (request.options.resume.empty()) {
    measure_start(run->context, run->data, run->model, run->state);
    write_initial(run->context, run->data, run->model);
    if (!run->state.options.nosave) write_last(run->context, run->data, run->model, run->state);
  }
  return Trainer(*run).run();
}

}  // namespace

TrainSummary train(const TrainRequest& request) {
  kernels::keep_tensor_memory();
  const auto group = Communicator::join(
      request.world,
      std::chrono::seconds(static_cast<std::int64_t>(std::ceil(request.options.peer_timeout))));
  try {
    return train_with(request, *group);
  } catch (const std::exception& error) {
    group->fail(error.what());
    // A Ctrl-C reaches the processes one after the other: that another one is gone is then no
    // failure.
    if (group->size() > 1) check_stop(request.stop);
    throw;
  }
}

}  // namespace yolov7::training
