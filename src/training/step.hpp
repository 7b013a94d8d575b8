#pragma once
// One batch: forward, loss, backward in micro-batches, and where it is due the optimizer step and
// the averages. A batch whose loss or gradients are not finite leaves no trace.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataset/batch.hpp"
#include "nn/batch_norm_snapshot.hpp"
#include "run/schedule.hpp"
#include "training/data.hpp"
#include "training/mean_teacher.hpp"
#include "training/model.hpp"
#include "training/precision/loss_scaler.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

struct StepResult {
  std::array<double, 4>
      losses{};          ///< box, objectness, class, total of the batch; 0 for one that was skipped
  double distilled = 0;  ///< the teacher's part of the total
  /// Of images without labels: their loss without its weight, images, labels and ignored regions.
  std::array<double, 4> unlabelled{};
  bool stepped = false;  ///< the weights changed
  bool skipped = false;  ///< not finite: this batch contributed nothing
};

class Step {
 public:
  /// All outlive this object. `micro_batch`: pictures that go through the network at once; 0 = all;
  /// fewer where the state has an "out of memory" behind it.
  Step(const RunContext& context, const Data& data, const Model& model,
       const run::Schedule& schedule, run::RunState& state, int micro_batch);
  /// `iteration` counts over all epochs. Without pending gradients after a step.
  StepResult run(const dataset::Batch& batch, std::int64_t iteration);
  /// Gradients that wait for a step are dropped (the end of an epoch, training K05).
  void drop_pending();
  bool pending() const { return pending_ > 0; }     ///< gradients wait for a step
  int micro_batch() const { return micro_batch_; }  ///< smaller after an "out of memory"

 private:
  /// Some pictures of a batch.
  struct Part {
    at::Tensor images;
    std::vector<Target> targets;
    dataset::TargetMarks marks;
    int count = 0;
    bool last = true;
  };
  using Pass = std::function<bool(const Part&)>;

  at::Tensor images_of(const dataset::Batch& batch, std::int64_t iteration) const;
  bool in_parts(const dataset::Batch& batch, int most, std::int64_t iteration,
                const Pass& pass) const;
  bool again_until_it_fits(const dataset::Batch& batch, const std::function<bool()>& work,
                           const std::function<void()>& begin_anew);
  bool labelled_pass(const Part& part, int whole, bool arms, StepResult& result) const;
  bool unlabelled_pass(const Part& part, const dataset::Batch& whole, int labelled, bool arms,
                       StepResult& result) const;
  std::optional<dataset::Batch> unlabelled_batch(std::int64_t iteration);
  bool add_losses(const LossValue& loss, const Part& part, int whole, StepResult& result) const;
  at::Tensor scaled(const at::Tensor& loss) const;
  bool gradients_usable(bool& finite);
  void halve_micro_batch(const dataset::Batch& batch, const std::string& why);
  StepResult skip(const dataset::Batch& batch, const std::string& what);
  at::Tensor rescaled(const at::Tensor& images, std::int64_t iteration) const;

  bool scales_loss() const;
  bool update_scale(bool finite);

  const RunContext& context_;
  const Data& data_;
  const Model& model_;
  const run::Schedule& schedule_;
  run::RunState& state_;
  int micro_batch_;
  LossScaler scaler_;                        ///< float16 only
  std::optional<MeanTeacher> mean_teacher_;  ///< nothing: no images without labels
  nn::BatchNormSnapshot statistics_;
  int pending_ = 0;
};

/// Targets of the pictures first … first + count − 1 of a batch, renumbered from 0.
std::vector<std::array<float, 6>> targets_of(const dataset::Batch& batch, int first, int count);

}  // namespace yolov7::training
