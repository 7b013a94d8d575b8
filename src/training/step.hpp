#pragma once
// One batch: forward, loss, backward in micro-batches, and where it is due the optimizer step. A
// batch whose loss or gradients are not finite leaves no trace.
#include <array>
#include <cstdint>
#include <string>

#include "dataset/batch.hpp"
#include "nn/batch_norm_snapshot.hpp"
#include "training/precision/loss_scaler.hpp"
#include "training/setup.hpp"

namespace yolov7::training {

struct StepResult {
  std::array<double, 4>
      losses{};          ///< box, objectness, class, total of the batch; 0 for one that was skipped
  bool stepped = false;  ///< the weights changed
  bool skipped = false;  ///< not finite: this batch contributed nothing
};

class Step {
 public:
  explicit Step(Setup& setup);
  /// `iteration` counts over all epochs. Without pending gradients after a step.
  StepResult run(const dataset::Batch& batch, std::int64_t iteration);
  /// Gradients that wait for a step are dropped (the end of an epoch, training K05).
  void drop_pending();
  bool pending() const { return pending_ > 0; }  ///< gradients wait for a step

 private:
  bool backward(const at::Tensor& images, const dataset::Batch& batch, bool steps,
                std::array<double, 4>& losses);
  void halve_micro_batch(const dataset::Batch& batch, const std::string& why);
  void skip(const dataset::Batch& batch, const std::string& what);
  at::Tensor rescaled(const at::Tensor& images, std::int64_t iteration) const;

  bool scaled() const;
  bool update_scale(bool finite);

  Setup& s_;
  LossScaler scaler_;  ///< float16 only
  nn::BatchNormSnapshot statistics_;
  int pending_ = 0;
};

/// Targets of the pictures first … first + count − 1 of a batch, renumbered from 0.
std::vector<std::array<float, 6>> targets_of(const dataset::Batch& batch, int first, int count);

}  // namespace yolov7::training
