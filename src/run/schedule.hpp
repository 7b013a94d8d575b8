#pragma once
// Learning rates, warm-up and accumulation as pure functions of the iteration (training
// 6, 7.3, 7.4).
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace yolov7::run {

/// Multiplier of the base rate for an epoch index (training 7.3); `final` = lrf, the share at the
/// end.
double cosine_factor(int epoch, int epochs, double final);
double linear_factor(int epoch, int epochs, double final);  ///< 1 for a single epoch (training F06)

/// factor to the power of how many of `steps` (epoch indices) are ≤ epoch.
double step_factor(int epoch, std::span<const int> steps, double factor);

struct PlateauOptions {
  int patience = 10;     ///< epochs without a better fitness before the rate falls
  double factor = 0.1;   ///< what it is multiplied by
  double floor = 0.001;  ///< least multiplier of lr0
};
/// Multiplier of the base rate for the epoch after those whose fitness is given (one value an
/// epoch, from 0; the last value repeats where an epoch was not validated). After each fall the
/// waiting begins anew.
double plateau_factor(std::span<const double> fitness, const PlateauOptions& options);

inline constexpr int default_nominal_batch = 64;
/// Micro-batches per optimizer step for a total batch: max(round(nominal / batch), 1), halves to
/// even.
int accumulation(int total_batch, int nominal_batch = default_nominal_batch);
/// Weight decay in use: decay · batch · accumulation / nominal.
double scaled_weight_decay(double decay, int total_batch,
                           int nominal_batch = default_nominal_batch);

enum class ScheduleKind { cosine, linear, step, plateau, constant };
/// "cosine", "linear", …; Error for another name.
ScheduleKind schedule_kind(std::string_view name);

struct ScheduleOptions {
  int epochs = 300;
  std::int64_t batches_per_epoch = 1;
  int total_batch = 16;
  int nominal_batch = default_nominal_batch;
  ScheduleKind kind = ScheduleKind::cosine;
  std::vector<int> steps;  ///< step: epochs at whose start the rate falls
  double step_factor = 0.1;
  PlateauOptions plateau;
  double lr0 = 0.01, lrf = 0.1, momentum = 0.937;
  double warmup_epochs = 3, warmup_momentum = 0.8, warmup_bias_lr = 0.1;
  double warmup_cap = 0.2;  ///< longest warm-up as a share of all iterations; 0 = no cap, as the
                            ///< reference (training F09)
};

/// What holds for one iteration.
struct IterationSettings {
  std::array<double, 3> rates{};  ///< by ParameterGroup: scale, weight, bias
  double momentum = 0;
  int accumulate = 1;
  bool steps = false;  ///< the optimizer steps after this iteration's backward pass (training K05)
};

class Schedule {
 public:
  /// Errors: epochs, batches, total batch, nominal batch or patience below 1; a cap outside 0 … 1.
  explicit Schedule(const ScheduleOptions& options);

  std::int64_t iterations() const { return options_.batches_per_epoch * options_.epochs; }
  std::int64_t warmup_iterations() const {
    return warmup_;
  }  ///< warm-up lasts up to and including this index
  /// Multiplier of lr0; the official schedules (cosine, linear) reach an epoch one epoch late
  /// (training K07), the others do not.
  double factor(int epoch) const;
  /// Plateau: the fitness of every epoch so far. Others ignore it.
  void observe(std::span<const double> fitness);
  IterationSettings at(std::int64_t iteration) const;  ///< counted from 0 over all epochs

 private:
  bool lags() const {
    return options_.kind == ScheduleKind::cosine || options_.kind == ScheduleKind::linear;
  }

  ScheduleOptions options_;
  std::int64_t warmup_ = 0;
  double plateau_ = 1;
};

}  // namespace yolov7::run
