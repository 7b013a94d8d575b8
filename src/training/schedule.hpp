#pragma once
// Learning rates, warm-up and accumulation as pure functions of the iteration (training 6, 7.3, 7.4).
#include <array>
#include <cstdint>

namespace yolov7::training {

/// Multiplier of the base rate for an epoch index (training 7.3); `final` = lrf, the share at the end.
double cosine_factor(int epoch, int epochs, double final);
double linear_factor(int epoch, int epochs, double final);  ///< 1 for a single epoch (F 06)

inline constexpr int nominal_batch = 64;
/// Micro-batches per optimizer step for a total batch: max(round(64 / batch), 1), halves to even.
int accumulation(int total_batch);
/// Weight decay in use: decay · batch · accumulation / 64.
double scaled_weight_decay(double decay, int total_batch);

struct ScheduleOptions {
  int epochs = 300;
  std::int64_t batches_per_epoch = 1;
  int total_batch = 16;
  bool linear = false;
  double lr0 = 0.01, lrf = 0.1, momentum = 0.937;
  double warmup_epochs = 3, warmup_momentum = 0.8, warmup_bias_lr = 0.1;
  double warmup_cap = 0.2;  ///< longest warm-up as a share of all iterations; 0 = no cap, as the reference (F 09)
};

/// What holds for one iteration.
struct IterationSettings {
  std::array<double, 3> rates{};  ///< by ParameterGroup: scale, weight, bias
  double momentum = 0;
  int accumulate = 1;
  bool steps = false;             ///< the optimizer steps after this iteration's backward pass (K 05)
};

class Schedule {
 public:
  /// Errors: no epochs, no batches, a cap outside 0 … 1.
  explicit Schedule(const ScheduleOptions& options);

  std::int64_t iterations() const { return options_.batches_per_epoch * options_.epochs; }
  std::int64_t warmup_iterations() const { return warmup_; }  ///< warm-up lasts up to and including this index
  double factor(int epoch) const;
  IterationSettings at(std::int64_t iteration) const;  ///< counted from 0 over all epochs

 private:
  ScheduleOptions options_;
  std::int64_t warmup_ = 0;
};

}  // namespace yolov7::training
