#include "run/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace yolov7::run {
namespace {

/// The plain formula, because std::lerp rounds in another way.
double lerp(double from, double to, double t) { return from + (to - from) * t; }

/// To the nearest integer, halves to the even one (nearbyint in the default rounding mode).
std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

}  // namespace

double cosine_factor(int epoch, int epochs, double final) {
  return (1 - std::cos(std::numbers::pi * epoch / epochs)) / 2 * (final - 1) + 1;
}

double linear_factor(int epoch, int epochs, double final) {
  if (epochs < 2) return 1;
  return (1 - static_cast<double>(epoch) / (epochs - 1)) * (1 - final) + final;
}

double step_factor(int epoch, std::span<const int> steps, double factor) {
  return std::pow(factor,
                  static_cast<double>(std::count_if(steps.begin(), steps.end(),
                                                    [&](int step) { return step <= epoch; })));
}

double plateau_factor(std::span<const double> fitness, const PlateauOptions& o) {
  double multiplier = 1, best = -1;
  int waited = 0;
  for (const double value : fitness) {
    if (value > best) {
      best = value;
      waited = 0;
    } else if (++waited >= o.patience) {
      multiplier = std::max(multiplier * o.factor, o.floor);
      waited = 0;
    }
  }
  return multiplier;
}

int accumulation(int total_batch, int nominal_batch) {
  return static_cast<int>(
      std::max<std::int64_t>(rounded(static_cast<double>(nominal_batch) / total_batch), 1));
}

double scaled_weight_decay(double decay, int total_batch, int nominal_batch) {
  return decay * total_batch * accumulation(total_batch, nominal_batch) / nominal_batch;
}

ScheduleKind schedule_kind(std::string_view name) {
  if (name == "cosine") return ScheduleKind::cosine;
  if (name == "linear") return ScheduleKind::linear;
  if (name == "step") return ScheduleKind::step;
  if (name == "plateau") return ScheduleKind::plateau;
  if (name == "constant") return ScheduleKind::constant;
  throw Error(fmt::format(
      "schedule: expected cosine, linear, step, plateau or constant, found '{}'", name));
}

Schedule::Schedule(const ScheduleOptions& options) : options_(options) {
  if (options.epochs < 1 || options.batches_per_epoch < 1 || options.total_batch < 1)
    throw Error(
        fmt::format("schedule: expected at least 1 epoch, 1 batch an epoch and 1 image a batch, "
                    "found {}, {} and {}",
                    options.epochs, options.batches_per_epoch, options.total_batch));
  if (options.nominal_batch < 1 || options.plateau.patience < 1)
    throw Error(fmt::format(
        "schedule: expected a nominal batch and a patience of at least 1, found {} and {}",
        options.nominal_batch, options.plateau.patience));
  if (!(options.warmup_cap >= 0 && options.warmup_cap <= 1))
    throw Error(fmt::format("warm-up cap: expected 0..1, found {}", options.warmup_cap));
  warmup_ = std::max<std::int64_t>(
      rounded(options.warmup_epochs * static_cast<double>(options.batches_per_epoch)), 1000);
  if (options.warmup_cap > 0)
    warmup_ = std::min(
        warmup_, static_cast<std::int64_t>(options.warmup_cap * static_cast<double>(iterations())));
}

double Schedule::factor(int epoch) const {
  switch (options_.kind) {
    case ScheduleKind::cosine: return cosine_factor(epoch, options_.epochs, options_.lrf);
    case ScheduleKind::linear: return linear_factor(epoch, options_.epochs, options_.lrf);
    case ScheduleKind::step: return step_factor(epoch, options_.steps, options_.step_factor);
    case ScheduleKind::plateau: return plateau_;
    case ScheduleKind::constant: return 1;
  }
  return 1;
}

void Schedule::observe(std::span<const double> fitness) {
  plateau_ = plateau_factor(fitness, options_.plateau);
}

IterationSettings Schedule::at(std::int64_t iteration) const {
  const auto epoch = static_cast<int>(iteration / options_.batches_per_epoch);
  IterationSettings settings;
  if (iteration <= warmup_) {
    const double t =
        warmup_ > 0 ? static_cast<double>(iteration) / static_cast<double>(warmup_) : 1;
    const double rate = options_.lr0 * factor(epoch);
    settings.rates = {lerp(0, rate, t), lerp(0, rate, t), lerp(options_.warmup_bias_lr, rate, t)};
    settings.momentum = lerp(options_.warmup_momentum, options_.momentum, t);
    settings.accumulate = static_cast<int>(std::max<std::int64_t>(
        rounded(lerp(1, static_cast<double>(options_.nominal_batch) / options_.total_batch, t)),
        1));
  } else {
    // The cosine and linear schedules are one epoch late (training K07), except in the rest of the
    // epoch in which the warm-up ended. The others are never late.
    const bool warmup_epoch = warmup_ / options_.batches_per_epoch == epoch;
    const double rate =
        options_.lr0 * factor(warmup_epoch || !lags() ? epoch : std::max(epoch - 1, 0));
    settings.rates = {rate, rate, rate};
    settings.momentum = options_.momentum;
    settings.accumulate = accumulation(options_.total_batch, options_.nominal_batch);
  }
  settings.steps = iteration % settings.accumulate == 0;
  return settings;
}

}  // namespace yolov7::run
