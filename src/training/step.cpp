#include "training/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/augment/operation.hpp"
#include "kernels/tensor_memory.hpp"
#include "nn/device_memory.hpp"
#include "training/multi_scale.hpp"

namespace yolov7::training {
namespace {

/// Names of the pictures that a batch was made of, as far as the loader says.
std::string picture_names(const dataset::Batch& batch, const dataset::Index& index) {
  std::set<std::string> names;
  for (const dataset::SampleOrigin& origin : batch.origins)
    names.insert(text::printable(index.entries[origin.entry].picture.filename().string()));
  return text::join(std::vector<std::string>(names.begin(), names.end()), ", ");
}

/// The smaller one; 0 = the whole batch.
int smaller_micro_batch(int a, int b) { return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b); }

}  // namespace

std::vector<std::array<float, 6>> targets_of(const dataset::Batch& batch, int first, int count) {
  std::vector<std::array<float, 6>> result;
  for (std::array<float, 6> target : batch.targets) {
    const float picture = target[0] - static_cast<float>(first);
    if (picture < 0 || picture >= static_cast<float>(count)) continue;
    target[0] = picture;
    result.push_back(target);
  }
  return result;
}

Step::Step(const RunContext& context, const Data& data, const Model& model,
           const run::Schedule& schedule, run::RunState& state, int micro_batch)
    : context_(context),
      data_(data),
      model_(model),
      schedule_(schedule),
      state_(state),
      micro_batch_(smaller_micro_batch(micro_batch, state.micro_batch)),
      statistics_(*model.network) {
  if (state_.loss_scale > 0) scaler_.set(state_.loss_scale, state_.good_steps);
  if (data.unlabelled) mean_teacher_.emplace(data, model, state);
}

StepResult Step::run(const dataset::Batch& batch, std::int64_t iteration) {
  const run::IterationSettings now = schedule_.at(iteration);
  nn::TorchNetwork& network = *model_.network;
  Loss& loss = *model_.loss;
  Optimizer& optimizer = *model_.optimizer;
  optimizer.set_rates(now.rates);
  optimizer.set_momentum(now.momentum);
  statistics_.take();
  const std::vector<double> balance = loss.balance();
  StepResult result;
  const auto undo = [&] {
    statistics_.restore();
    loss.set_balance(balance);
    result = {};
  };
  const std::optional<dataset::Batch> unlabelled = unlabelled_batch(iteration);
  const auto work = [&] {
    const bool arms = model_.gradient_sums && now.steps;
    const auto own = [&](const Part& part) {
      return labelled_pass(part, batch.count, arms && !unlabelled, result);
    };
    const auto other = [&](const Part& part) {
      return unlabelled_pass(part, *unlabelled, batch.count, arms, result);
    };
    return in_parts(batch, batch.count, iteration, own) &&
           (!unlabelled || in_parts(*unlabelled, batch.count, iteration, other));
  };
  if (!again_until_it_fits(batch, work, undo)) {
    undo();
    return skip(batch, "the loss");
  }
  if (model_.gradient_sums) model_.gradient_sums->finish();
  if (!now.steps) {
    ++pending_;
    return result;
  }

  bool finite = true;
  if (!gradients_usable(finite)) {
    undo();
    return skip(batch, "a gradient");
  }
  if (finite) optimizer.step();
  drop_pending();
  model_.ema->update(network);  // also after a step that float16's scale left out (training 11.1)
  state_.skipped_in_row = 0;
  result.stepped = true;
  return result;
}

at::Tensor Step::images_of(const dataset::Batch& batch, std::int64_t iteration) const {
  return rescaled(
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, context_.device),
      iteration);
}

/// Forward, loss and backward of some of the batch's images. False: the loss is not finite.
bool Step::labelled_pass(const Part& part, int whole, bool arms, StepResult& result) const {
  const LossValue value = loss_of(*model_.network, *model_.loss, model_.distillation.get(),
                                  part.images, part.targets, part.marks);
  if (!add_losses(value, part, whole, result)) return false;
  if (arms && part.last) model_.gradient_sums->arm();
  scaled(value.total).backward();
  return true;
}

/// Nothing: no images without labels, or not yet.
std::optional<dataset::Batch> Step::unlabelled_batch(std::int64_t iteration) {
  constexpr int most_at_once = 16;
  if (!mean_teacher_) return std::nullopt;
  return mean_teacher_->batch(
      iteration, micro_batch_ > 0 ? std::min(micro_batch_, most_at_once) : most_at_once);
}

/// The same of images without labels, whose loss counts as if they were as many as the labelled
/// ones.
bool Step::unlabelled_pass(const Part& part, const dataset::Batch& whole, int labelled, bool arms,
                           StepResult& result) const {
  model_.pseudo_loss->set_balance(model_.loss->balance());
  const LossValue value =
      (*model_.pseudo_loss)(model_.network->forward(part.images), part.targets, part.marks);
  const double own = value.parts[3].item<double>();
  const std::vector<double> sums = context_.group->sum(
      {own * part.count / whole.count, std::isfinite(own) ? 0.0 : 1.0,
       static_cast<double>(part.count), static_cast<double>(part.targets.size()),
       static_cast<double>(part.marks.ignored.size())});
  if (sums[1] > 0) return false;
  result.unlabelled[0] += sums[0] / context_.group->size();
  for (std::size_t i = 1; i < 4; ++i) result.unlabelled[i] += sums[i + 1];
  if (arms && part.last) model_.gradient_sums->arm();
  scaled(value.total *
         (state_.options.semi.unlabelled_weight * labelled / static_cast<double>(whole.count)))
      .backward();
  return true;
}

/// One pass for each micro-batch of at most `most` images. False: a pass says that its loss is not
/// finite, and the batch's gradients are of no use (with those that waited, for they are one sum).
bool Step::in_parts(const dataset::Batch& batch, int most, std::int64_t iteration,
                    const Pass& pass) const {
  const at::Tensor images = images_of(batch, iteration);
  const int micro = std::min(micro_batch_ > 0 ? std::min(micro_batch_, most) : most, batch.count);
  for (int first = 0; first < batch.count; first += micro) {
    if (failpoint::hit("out-of-memory")) throw kernels::OutOfMemory("out of memory (injected)");
    const int count = std::min(micro, batch.count - first);
    Part part;
    part.count = count;
    part.last = first + count == batch.count;
    part.images = count == batch.count ? images : images.slice(0, first, first + count);
    part.targets = count == batch.count ? batch.targets : targets_of(batch, first, count);
    part.marks =
        count == batch.count ? batch.marks : part_of(batch.marks, batch.targets, first, count);
    if (!pass(part)) return false;
  }
  return true;
}

/// Begun anew in smaller parts where memory does not suffice.
bool Step::again_until_it_fits(const dataset::Batch& batch, const std::function<bool()>& work,
                               const std::function<void()>& begin_anew) {
  for (;;) {
    std::string why;
    try {
      return work();
    } catch (const kernels::OutOfMemory& error) {
      why = first_line(error);
    } catch (const c10::OutOfMemoryError& error) {
      why = "out of GPU memory: " + first_line(error);
    }
    begin_anew();
    halve_micro_batch(batch, why);
  }
}

/// Adds a part's losses to those of the batch. False: some process's are not finite; all processes
/// skip a batch, or none.
bool Step::add_losses(const LossValue& loss, const Part& part, int whole,
                      StepResult& result) const {
  const at::Tensor parts = loss.parts.to(at::kCPU, at::kDouble).contiguous();
  std::vector<double> values(parts.const_data_ptr<double>(), parts.const_data_ptr<double>() + 4);
  values.push_back(!std::isfinite(values[3]) || failpoint::hit("non-finite-loss") ? 1 : 0);
  if (loss.distilled.defined()) values.push_back(loss.distilled.item<double>());
  values = context_.group->sum(values);
  if (values[4] > 0) return false;
  const auto share = [&](double value) {
    return value / context_.group->size() * part.count / whole;
  };
  for (std::size_t i = 0; i < 4; ++i) result.losses[i] += share(values[i]);
  if (values.size() > 5) result.distilled += share(values[5]);
  return true;
}

/// What the backward pass begins with.
at::Tensor Step::scaled(const at::Tensor& loss) const {
  const double factor = (state_.options.quad ? 4 : 1) * (scales_loss() ? scaler_.scale() : 1);
  return factor == 1 ? loss : loss * factor;
}

/// Clips the gradients. False: they are not finite, and it is not the fault of float16's scale,
/// whose overflow leaves only the optimizer's step out (`finite` is false then).
bool Step::gradients_usable(bool& finite) {
  if (scales_loss()) model_.optimizer->scale_gradients(1 / scaler_.scale());
  finite = std::isfinite(model_.optimizer->clip_gradients(state_.options.clip_grad));
  return scales_loss() ? update_scale(finite) : finite;
}

bool Step::scales_loss() const { return state_.options.precision == "float16"; }

/// False: the gradients are not finite, and it is not the scale's fault.
bool Step::update_scale(bool finite) {
  const bool useful = scaler_.update(finite);
  state_.loss_scale = scaler_.scale();
  state_.good_steps = scaler_.good_steps();
  if (!finite)
    log::info(fmt::format(
        "epoch {}, batch {}: float16 overflowed; the step is left out, the loss scale is {} now",
        state_.epoch, state_.batch, text::general(scaler_.scale())));
  return useful;
}

StepResult Step::skip(const dataset::Batch& batch, const std::string& what) {
  const int lost = pending_;
  drop_pending();
  ++state_.skipped;
  ++state_.skipped_in_row;
  ++state_.skipped_in_epoch;
  log::warning(fmt::format(
      "epoch {}, batch {}: {} is not finite; the batch is skipped{} ({} so far, {} in a row); its "
      "images: {}",
      state_.epoch, state_.batch, what,
      lost > 0 ? fmt::format(", and with it {} that waited for the same step", lost) : "",
      state_.skipped, state_.skipped_in_row, picture_names(batch, data_.train)));
  return {.skipped = true};
}

/// Out of memory in the middle of a batch: it is computed again in smaller parts.
void Step::halve_micro_batch(const dataset::Batch& batch, const std::string& why) {
  const int micro = micro_batch_ > 0 ? std::min(micro_batch_, batch.count) : batch.count;
  if (context_.group->size() > 1)
    throw Error(fmt::format(
        "{}: with several processes a batch cannot be begun again by one of them: a smaller {} "
        "than {} is needed (or {})",
        why, setting_name("batch-size"), state_.options.batch_size, setting_name("memory-limit")));
  if (micro == 1)
    throw Error(fmt::format("{}; a single image does not fit: lower {} or take a smaller network",
                            why, setting_name("img-size")));
  const int lost = pending_;
  drop_pending();
  nn::DeviceMemory(context_.device).release_unused();
  micro_batch_ = state_.micro_batch = (micro + 1) / 2;
  log::warning(fmt::format(
      "{}: from here on a batch goes through the network in parts of {}, with one step for all; "
      "batch-norms see {} images at a time{}",
      why, micro_batch_, micro_batch_,
      lost > 0 ? fmt::format("; {} batches that waited for the same step are lost", lost) : ""));
}

void Step::drop_pending() {
  model_.optimizer->clear_gradients();
  pending_ = 0;
}

/// Multi-scale: one size for the whole batch, a function of seed and iteration alone
/// (training 11.5).
at::Tensor Step::rescaled(const at::Tensor& images, std::int64_t iteration) const {
  if (!state_.options.multi_scale) return images;
  Random random(static_cast<std::uint64_t>(state_.options.seed),
                static_cast<std::uint32_t>(state_.epoch), static_cast<std::uint32_t>(iteration),
                static_cast<std::uint32_t>(dataset::Operation::multi_scale));
  const auto [height, width] =
      multi_scale_size(images.size(2), images.size(3), data_.train_size, data_.stride, random);
  if (height == images.size(2) && width == images.size(3)) return images;
  return at::upsample_bilinear2d(images, {height, width}, /*align_corners=*/false);
}

}  // namespace yolov7::training
