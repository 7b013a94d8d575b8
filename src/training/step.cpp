#include "training/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
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

Step::Step(Setup& setup) : s_(setup), statistics_(*setup.network) {
  if (s_.state.loss_scale > 0) scaler_.set(s_.state.loss_scale, s_.state.good_steps);
}

StepResult Step::run(const dataset::Batch& batch, std::int64_t iteration) {
  const run::IterationSettings now = s_.schedule->at(iteration);
  s_.optimizer->set_rates(now.rates);
  s_.optimizer->set_momentum(now.momentum);
  at::Tensor images =
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, s_.device);
  if (s_.state.options.multi_scale) images = rescaled(images, iteration);
  StepResult result;
  statistics_.take();
  const std::vector<double> balance = s_.loss->balance();
  const auto undo = [&](const char* what) {
    statistics_.restore();
    s_.loss->set_balance(balance);
    skip(batch, what);
    return StepResult{{}, false, true};
  };
  const auto begin_anew = [&](const std::string& why) {
    statistics_.restore();
    s_.loss->set_balance(balance);
    result = {};
    halve_micro_batch(batch, why.substr(0, why.find('\n')));
    return true;
  };
  for (bool again = true; again;) {
    try {
      if (!backward(images, batch, now.steps, result.losses)) return undo("the loss");
      again = false;
    } catch (const kernels::OutOfMemory& error) {
      again = begin_anew(error.what());
    } catch (const c10::OutOfMemoryError& error) {
      again = begin_anew(std::string("out of GPU memory: ") + error.what_without_backtrace());
    }
  }
  ++pending_;
  if (!now.steps) return result;
  if (scaled()) s_.optimizer->scale_gradients(1 / scaler_.scale());
  const double norm = s_.optimizer->clip_gradients(s_.state.options.clip_grad);
  const bool finite = std::isfinite(norm);
  if (scaled() ? !update_scale(finite) : !finite) return undo("a gradient");
  if (finite) s_.optimizer->step();
  drop_pending();
  s_.ema->update(*s_.network);  // also after a step that float16's scale left out (training 11.1)
  s_.state.skipped_in_row = 0;
  result.stepped = true;
  return result;
}

/// False: a loss is not finite, and the batch's gradients are gone (with those that waited, for
/// they are one sum).
bool Step::backward(const at::Tensor& images, const dataset::Batch& batch, bool steps,
                    std::array<double, 4>& losses) {
  const int micro = s_.micro_batch > 0 ? std::min(s_.micro_batch, batch.count) : batch.count;
  for (int first = 0; first < batch.count; first += micro) {
    const int count = std::min(micro, batch.count - first);
    const bool whole = count == batch.count;
    if (failpoint::hit("out-of-memory")) throw kernels::OutOfMemory("out of memory (injected)");
    LossValue loss = whole ? (*s_.loss)(s_.network->forward(images), batch.targets)
                           : (*s_.loss)(s_.network->forward(images.slice(0, first, first + count)),
                                        targets_of(batch, first, count));
    const at::Tensor parts = loss.parts.to(at::kCPU, at::kDouble).contiguous();
    std::vector<double> values(parts.const_data_ptr<double>(), parts.const_data_ptr<double>() + 4);
    values.push_back(!std::isfinite(values[3]) || failpoint::hit("non-finite-loss") ? 1 : 0);
    values = s_.group->sum(values);  // all processes skip a batch, or none
    if (values[4] > 0) return false;
    for (std::size_t i = 0; i < 4; ++i)
      losses[i] += values[i] / s_.group->size() * count / batch.count;
    if (s_.gradient_sums && steps && first + count == batch.count) s_.gradient_sums->arm();
    const double factor = (s_.state.options.quad ? 4 : 1) * (scaled() ? scaler_.scale() : 1);
    (factor == 1 ? loss.total : loss.total * factor).backward();
  }
  if (s_.gradient_sums) s_.gradient_sums->finish();
  return true;
}

bool Step::scaled() const { return s_.state.options.precision == "float16"; }

/// False: the gradients are not finite, and it is not the scale's fault.
bool Step::update_scale(bool finite) {
  const bool useful = scaler_.update(finite);
  s_.state.loss_scale = scaler_.scale();
  s_.state.good_steps = scaler_.good_steps();
  if (!finite)
    log::info(fmt::format(
        "epoch {}, batch {}: float16 overflowed; the step is left out, the loss scale is {} now",
        s_.state.epoch, s_.state.batch, text::general(scaler_.scale())));
  return useful;
}

void Step::skip(const dataset::Batch& batch, const std::string& what) {
  const int lost = pending_;
  drop_pending();
  ++s_.state.skipped;
  ++s_.state.skipped_in_row;
  log::warning(fmt::format(
      "epoch {}, batch {}: {} is not finite; the batch is skipped{} ({} so far, {} in a row); its "
      "pictures: {}",
      s_.state.epoch, s_.state.batch, what,
      lost > 0 ? fmt::format(", and with it {} that waited for the same step", lost) : "",
      s_.state.skipped, s_.state.skipped_in_row, picture_names(batch, s_.train)));
}

/// Out of memory in the middle of a batch: it is computed again in smaller parts.
void Step::halve_micro_batch(const dataset::Batch& batch, const std::string& why) {
  const int micro = s_.micro_batch > 0 ? std::min(s_.micro_batch, batch.count) : batch.count;
  if (s_.group->size() > 1)
    throw Error(
        fmt::format("{}: with several processes a batch cannot be begun again by one of them: a "
                    "smaller --batch-size than {} is needed (or --memory-limit)",
                    why, s_.state.options.batch_size));
  if (micro == 1)
    throw Error(fmt::format(
        "{}; a single picture does not fit: lower --img-size or take a smaller network", why));
  const int lost = pending_;
  drop_pending();
  nn::DeviceMemory(s_.device).release_unused();
  s_.micro_batch = (micro + 1) / 2;
  log::warning(fmt::format(
      "{}: from here on a batch goes through the network in parts of {}, with one step for all; "
      "batch-norms see {} pictures at a time{}",
      why, s_.micro_batch, s_.micro_batch,
      lost > 0 ? fmt::format("; {} batches that waited for the same step are lost", lost) : ""));
}

void Step::drop_pending() {
  s_.optimizer->clear_gradients();
  pending_ = 0;
}

/// Multi-scale: one size for the whole batch, a function of seed and iteration alone
/// (training 11.5).
at::Tensor Step::rescaled(const at::Tensor& images, std::int64_t iteration) const {
  Random random(static_cast<std::uint64_t>(s_.state.options.seed),
                static_cast<std::uint32_t>(s_.state.epoch), static_cast<std::uint32_t>(iteration),
                static_cast<std::uint32_t>(dataset::Operation::multi_scale));
  const auto [height, width] =
      multi_scale_size(images.size(2), images.size(3), s_.train_size, s_.stride, random);
  if (height == images.size(2) && width == images.size(3)) return images;
  return at::upsample_bilinear2d(images, {height, width}, /*align_corners=*/false);
}

}  // namespace yolov7::training
