#include "training/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

double lerp(double from, double to, double t) { return from + (to - from) * t; }

/// Halves to even: the default rounding mode of nearbyint.
std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

}  // namespace

double cosine_factor(int epoch, int epochs, double final) {
  return (1 - std::cos(std::numbers::pi * epoch / epochs)) / 2 * (final - 1) + 1;
}

double linear_factor(int epoch, int epochs, double final) {
  if (epochs < 2) return 1;
  return (1 - static_cast<double>(epoch) / (epochs - 1)) * (1 - final) + final;
}

int accumulation(int total_batch) {
  return static_cast<int>(std::max<std::int64_t>(rounded(static_cast<double>(nominal_batch) / total_batch), 1));
}

double scaled_weight_decay(double decay, int total_batch) {
  return decay * total_batch * accumulation(total_batch) / nominal_batch;
}

Schedule::Schedule(const ScheduleOptions& options) : options_(options) {
  if (options.epochs < 1 || options.batches_per_epoch < 1 || options.total_batch < 1)
    throw Error(fmt::format("the schedule needs at least 1 epoch, batch and picture, found {} epochs of {} batches of {}",
                            options.epochs, options.batches_per_epoch, options.total_batch));
  if (!(options.warmup_cap >= 0 && options.warmup_cap <= 1))
    throw Error(fmt::format("warm-up cap: expected 0..1, found {}", options.warmup_cap));
  warmup_ = std::max<std::int64_t>(rounded(options.warmup_epochs * static_cast<double>(options.batches_per_epoch)), 1000);
  if (options.warmup_cap > 0)
    warmup_ = std::min(warmup_, static_cast<std::int64_t>(options.warmup_cap * static_cast<double>(iterations())));
}

double Schedule::factor(int epoch) const {
  return options_.linear ? linear_factor(epoch, options_.epochs, options_.lrf) : cosine_factor(epoch, options_.epochs, options_.lrf);
}

IterationSettings Schedule::at(std::int64_t iteration) const {
  const auto epoch = static_cast<int>(iteration / options_.batches_per_epoch);
  IterationSettings settings;
  if (iteration <= warmup_) {
    const double t = warmup_ > 0 ? static_cast<double>(iteration) / static_cast<double>(warmup_) : 1;
    const double rate = options_.lr0 * factor(epoch);
    settings.rates = {lerp(0, rate, t), lerp(0, rate, t), lerp(options_.warmup_bias_lr, rate, t)};
    settings.momentum = lerp(options_.warmup_momentum, options_.momentum, t);
    settings.accumulate = static_cast<int>(
        std::max<std::int64_t>(rounded(lerp(1, static_cast<double>(nominal_batch) / options_.total_batch, t)), 1));
  } else {
    // The schedule lags by one epoch (K 07), except in the rest of the epoch in which the warm-up ended.
    const bool warmup_epoch = warmup_ / options_.batches_per_epoch == epoch;
    const double rate = options_.lr0 * factor(warmup_epoch ? epoch : std::max(epoch - 1, 0));
    settings.rates = {rate, rate, rate};
    settings.momentum = options_.momentum;
    settings.accumulate = accumulation(options_.total_batch);
  }
  settings.steps = iteration % settings.accumulate == 0;
  return settings;
}

}  // namespace yolov7::training
