#include "training/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/random.hpp"
#include "dataset/operation.hpp"
#include "evaluation/batch_pictures.hpp"
#include "image/codec.hpp"
#include "training/checkpoints.hpp"
#include "training/class_weights.hpp"
#include "training/kernels/tensor_memory.hpp"
#include "training/multi_scale.hpp"
#include "training/setup.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Trainer {
 public:
  explicit Trainer(Setup& setup) : s_(setup) {}

  TrainSummary run() {
    const int epochs = s_.state.options.epochs;
    while (s_.state.epoch < epochs && !s_.state.ended) {
      if (!train_epoch()) return interrupted();
      finish_epoch(s_.state.epoch + 1 == epochs);
    }
    finish_run(s_);
    return summary(false);
  }

 private:
  /// One pass over the data. False: interrupted, and the state says where to go on.
  bool train_epoch() {
    record_ = EpochRecord{};
    record_.epoch = s_.state.epoch;
    s_.network->train(true);
    s_.optimizer->clear_gradients();
    const auto first = static_cast<std::size_t>(s_.state.batch), batches = s_.loader->batches();
    const auto start = Clock::now();
    Progress progress(fmt::format("epoch {}/{}", s_.state.epoch, s_.state.options.epochs - 1), batches - first, "batches");
    if (s_.state.options.image_weights) s_.loader->set_weights(picture_weights(s_.train, s_.state.class_ap));
    s_.schedule->observe(fitness_so_far());
    s_.loader->start(s_.state.epoch, first);
    std::size_t pictures = 0;
    for (auto batch = next_batch(); batch; batch = next_batch()) {
      const bool stepped = train_batch(*batch);
      pictures += static_cast<std::size_t>(batch->count);
      ++s_.state.batch;
      progress.advance(1, losses_text());
      // Only where no gradient is pending; an epoch's end counts, for what is pending then is dropped anyway (K 05).
      if (interrupt::requested() && (stepped || s_.state.batch == static_cast<std::int64_t>(batches))) {
        s_.state.seconds += seconds_since(start);
        return false;
      }
    }
    record_.train_seconds = seconds_since(start);
    record_.pictures_per_second = static_cast<double>(pictures) / record_.train_seconds;
    s_.state.seconds += record_.train_seconds;
    return true;
  }

  std::optional<dataset::Batch> next_batch() {
    const auto start = Clock::now();
    auto batch = s_.loader->next();
    record_.data_wait_seconds += seconds_since(start);
    return batch;
  }

  /// Forward, loss, backward, and where it is due the optimizer step. True if it stepped.
  bool train_batch(const dataset::Batch& batch) {
    const std::int64_t iteration = s_.state.batch + static_cast<std::int64_t>(s_.loader->batches()) * s_.state.epoch;
    const IterationSettings now = s_.schedule->at(iteration);
    s_.optimizer->set_rates(now.rates);
    s_.optimizer->set_momentum(now.momentum);
    if (iteration < 10) write_picture(s_.folder / fmt::format("train_batch{}.jpg", iteration), evaluation::label_sheet(batch, s_.train));

    at::Tensor images = image_tensor(batch.pixels, batch.count, batch.height, batch.width);
    if (s_.state.options.multi_scale) images = rescaled(images, iteration);
    const LossValue loss = (*s_.loss)(s_.network->forward(images), batch.targets);
    add_losses(loss.parts, batch);
    (s_.state.options.quad ? loss.total * 4 : loss.total).backward();
    if (!now.steps) return false;
    if (s_.state.options.clip_grad > 0) s_.optimizer->clip_gradients(s_.state.options.clip_grad);
    s_.optimizer->step();
    s_.optimizer->clear_gradients();
    s_.ema->update(*s_.network);
    return true;
  }

  /// Multi-scale: one size for the whole batch, a function of seed and iteration alone (training 11.5).
  at::Tensor rescaled(const at::Tensor& images, std::int64_t iteration) const {
    Random random(static_cast<std::uint64_t>(s_.state.options.seed), static_cast<std::uint32_t>(s_.state.epoch), static_cast<std::uint32_t>(iteration),
                  static_cast<std::uint32_t>(dataset::Operation::multi_scale));
    const auto [height, width] = multi_scale_size(images.size(2), images.size(3), s_.train_size, s_.stride, random);
    if (height == images.size(2) && width == images.size(3)) return images;
    return at::upsample_bilinear2d(images, {height, width}, /*align_corners=*/false);
  }

  std::vector<double> fitness_so_far() const {
    std::vector<double> values;
    for (const EpochRecord& record : s_.state.records) values.push_back(record.fitness);
    return values;
  }

  void add_losses(const at::Tensor& parts, const dataset::Batch& batch) {
    const at::Tensor values = parts.to(at::kDouble).contiguous();
    for (std::size_t i = 0; i < 4; ++i) s_.state.loss_sum[i] += values.data_ptr<double>()[i];
    if (!std::isfinite(s_.state.loss_sum[3]))
      throw Error(fmt::format("the loss is not finite (epoch {}, batch {}, first picture {}): lower lr0, or train without --amp; last.pt holds the last whole epoch",
                              s_.state.epoch, s_.state.batch, batch.origins.empty() ? "?" : s_.train.entries[batch.origins[0].entry].picture.string()));
    record_.targets = static_cast<int>(batch.targets.size());
    record_.image_size = batch.width;
  }

  std::string losses_text() const {
    const double n = static_cast<double>(std::max<std::int64_t>(s_.state.batch, 1));
    const auto& sum = s_.state.loss_sum;
    return fmt::format("box {:.4g} obj {:.4g} cls {:.4g} total {:.4g}", sum[0] / n, sum[1] / n, sum[2] / n, sum[3] / n);
  }

  void finish_epoch(bool last) {
    RunState& state = s_.state;
    for (std::size_t i = 0; i < 4; ++i) record_.train_loss[i] = state.loss_sum[i] / static_cast<double>(s_.loader->batches());
    record_.rates = s_.optimizer->rates();
    if (!state.records.empty()) repeat_validation(record_, state.records.back());
    if (!state.options.notest || last) {
      const auto start = Clock::now();
      validate(s_, record_);
      record_.val_seconds = seconds_since(start);
    }
    const bool best = record_.validated && record_.fitness >= state.best_fitness;  // ties overwrite (K 29)
    if (best) {
      state.best_fitness = record_.fitness;
      state.best_epoch = record_.epoch;
    }
    state.records.push_back(record_);
    append_result(s_.folder, record_, state.options.epochs);
    ++state.epoch;
    state.batch = 0;
    state.loss_sum = {};
    state.ema_updates = s_.ema->updates();
    if (state.options.autobalance) state.loss_balance = s_.loss->balance();
    const std::string reason = last ? std::string() : end_reason();
    state.ended = !reason.empty();
    write_epoch_checkpoints(s_, record_.epoch, best, last || state.ended);
    say_epoch();
    if (state.ended) log::info(fmt::format("training ends after epoch {} of {}: {}", record_.epoch, state.options.epochs - 1, reason));
  }

  /// Why no further epoch is to begin; "" = it is.
  std::string end_reason() const {
    const TrainOptions& o = s_.state.options;
    const int waited = record_.epoch - std::max(s_.state.best_epoch, 0);
    if (o.patience > 0 && !o.notest && waited >= o.patience) return fmt::format("no better fitness for {} epochs (--patience {})", waited, o.patience);
    if (o.time > 0 && s_.state.seconds >= o.time * 3600) return fmt::format("{:.2f} hours of training (--time {})", s_.state.seconds / 3600, o.time);
    return {};
  }

  void say_epoch() const {
    const EpochRecord& r = record_;
    log::info(fmt::format("epoch {}/{}: box {:.4g} obj {:.4g} cls {:.4g} | {}| {:.1f} pictures/s, {:.0f} % of the time waiting for data", r.epoch,
                          s_.state.options.epochs - 1, r.train_loss[0], r.train_loss[1], r.train_loss[2],
                          r.validated ? fmt::format("COCO mAP50 {:.4f} mAP {:.4f}, official mAP50 {:.4f} mAP {:.4f} ", r.coco_map50, r.coco_map, r.official_map50, r.official_map) : "",
                          r.pictures_per_second, 100 * r.data_wait_seconds / std::max(r.train_seconds, 1e-9)));
  }

  TrainSummary interrupted() {
    s_.state.ema_updates = s_.ema->updates();
    if (s_.state.options.autobalance) s_.state.loss_balance = s_.loss->balance();
    write_last(s_);
    log::info(fmt::format("interrupted; {} can be resumed at epoch {}, batch {}", (s_.folder / "weights" / "last.pt").string(), s_.state.epoch, s_.state.batch));
    return summary(true);
  }

  TrainSummary summary(bool was_interrupted) const {
    TrainSummary out;
    out.run_folder = s_.folder.string();
    out.epochs_done = s_.state.epoch;
    out.best_epoch = s_.state.best_epoch;
    out.best_fitness = std::max(0.0, s_.state.best_fitness);
    for (const EpochRecord& record : s_.state.records)
      if (record.epoch == s_.state.best_epoch) {
        out.map50 = record.coco_map50;
        out.map = record.coco_map;
      }
    out.seconds = s_.state.seconds;
    out.interrupted = was_interrupted;
    const auto existing = [&](const char* name) {
      const auto path = s_.folder / "weights" / name;
      return std::filesystem::exists(path) ? path.string() : std::string();
    };
    out.best = existing("best.pt");
    out.last = existing("last.pt");
    return out;
  }

  Setup& s_;
  EpochRecord record_;
};

}  // namespace

TrainSummary train(const TrainRequest& request) {
  kernels::keep_tensor_memory();
  Setup setup = prepare(request);
  if (request.options.resume.empty()) write_initial(setup);
  return Trainer(setup).run();
}

}  // namespace yolov7::training
