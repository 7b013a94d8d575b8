#include "training/trial.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/device.hpp"
#include "training/setup.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

using Time = std::chrono::steady_clock::time_point;

Time now() { return std::chrono::steady_clock::now(); }
double seconds_since(Time start) { return std::chrono::duration<double>(now() - start).count(); }

class Trial {
 public:
  Trial(const TrialRequest& request, PreparedRun& run) : request_(request), run_(run) {}

  TrialResult measure() {
    const MemoryPlan& memory = run_.memory;
    result_.images = run_.data.train.entries.size();
    result_.val_images = run_.data.val.entries.size();
    result_.precision = run_.state.options.precision;
    result_.device = nn::device_text(run_.context.device);
    result_.base_bytes = memory.model.base;
    result_.bytes_per_image = memory.model.per_micro_picture + memory.model.per_batch_picture;
    result_.allowed_bytes = memory.allowed;
    result_.limited_by = memory.limited_by;
    result_.largest_batch = memory.model.largest_batch(TrialResult::most_batch, memory.allowed);
    load();
    step();
    validate_part();
    return result_;
  }

 private:
  /// The next batch; a further epoch begins where one ends.
  dataset::Batch next() {
    check_stop(run_.context.stop);
    auto batch = run_.data.loader->next();
    if (!batch) {
      run_.data.loader->start(++epoch_);
      batch = run_.data.loader->next();
    }
    if (!batch) throw Error("expected a batch, found none");
    return std::move(*batch);
  }

  /// The loader with nothing beside it, from the first batch that it builds.
  void load() {
    constexpr double enough = 0.7;  // seconds
    run_.data.loader->start(epoch_);
    next();
    std::size_t images = 0;
    const Time start = now();
    do images += static_cast<std::size_t>(next().count);
    while (seconds_since(start) < enough || images < 8);
    result_.load_seconds_per_image = seconds_since(start) / static_cast<double>(images);
  }

  /// Steps beside the loader, which builds the next batches meanwhile. The first two are not
  /// counted: memory is taken, and the loader fills its queue.
  void step() {
    Step step(run_.context, run_.data, run_.model, *run_.schedule, run_.state,
              run_.memory.micro_batch);
    run_.model.network->train(true);
    step.drop_pending();
    std::int64_t iteration = run_.schedule->warmup_iterations();
    for (int i = 0; i < 2; ++i) step.run(next(), iteration++);
    std::size_t images = 0;
    const Time start = now();
    do {
      const dataset::Batch batch = next();
      step.run(batch, iteration++);
      images += static_cast<std::size_t>(batch.count);
      ++result_.steps;
    } while (seconds_since(start) < request_.seconds || result_.steps < 2);
    result_.seconds_per_image = seconds_since(start) / static_cast<double>(images);
    step.drop_pending();
  }

  double validation_seconds(std::size_t images) {
    dataset::Index whole = run_.data.val;
    run_.data.val.entries.resize(std::min(images, whole.entries.size()));
    run::TrainOptions options = run_.state.options;
    options.batch_size = request_.batch;
    run::EpochRecord record;
    const Time start = now();
    validate(run_.context, run_.data, run_.model, options, record);
    const double seconds = seconds_since(start);
    run_.data.val = std::move(whole);
    return seconds;
  }

  /// One image tells what a validation takes besides images (a detector is made for each), some
  /// more tell what each takes.
  void validate_part() {
    const std::size_t all = run_.data.val.entries.size();
    const double one = validation_seconds(1);
    if (all < 2) {
      result_.val_fixed_seconds = one;
      return;
    }
    // A forward pass takes about a third of a step.
    const double image = std::max(result_.seconds_per_image / 3, 1e-4);
    const auto some = static_cast<std::size_t>(std::clamp(
        request_.seconds / image, 2.0, static_cast<double>(std::min<std::size_t>(all, 256))));
    const double several = validation_seconds(some);
    result_.val_seconds_per_image = std::max(several - one, 0.0) / static_cast<double>(some - 1);
    result_.val_fixed_seconds = std::max(one - result_.val_seconds_per_image, 0.0);
  }

  const TrialRequest& request_;
  PreparedRun& run_;
  TrialResult result_;
  int epoch_ = 0;
};

}  // namespace

TrialResult try_epoch(const TrialRequest& request) {
  kernels::keep_tensor_memory();
  const auto group = Communicator::join(request.train.world, std::chrono::seconds(60));
  TrainRequest train = request.train;
  train.trial = true;
  train.options.noautoanchor = true;
  const std::unique_ptr<PreparedRun> run = prepare(train, *group);
  return Trial(request, *run).measure();
}

}  // namespace yolov7::training
