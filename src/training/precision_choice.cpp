#include "training/precision_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "nn/device.hpp"
#include "training/precision/precision.hpp"

namespace yolov7::training {
namespace {

PrecisionCheck compared_with_float32(at::Device device, const Model& model,
                                     const dataset::Batch& batch, const std::string& type) {
  return check_precision(
      *model.network, *model.loss,
      nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width, device), batch.targets,
      compute_type(type));
}

}  // namespace

std::vector<std::string> narrow_types(at::Device device, const run::TrainOptions& o) {
  if (o.precision == "float16" && device.is_cpu())
    throw usage_error(setting_name("precision") +
                      " float16: expected a GPU; the processor's narrow type is bfloat16");
  if (o.precision != "auto")
    return o.precision == "float32" && !o.amp
               ? std::vector<std::string>{}
               : std::vector<std::string>{o.precision == "float32" ? "bfloat16" : o.precision};
  if (device.is_cpu())
    return o.amp || processor_computes_bfloat16() ? std::vector<std::string>{"bfloat16"}
                                                  : std::vector<std::string>{};
  return nn::gpu_computes_bfloat16(device) ? std::vector<std::string>{"bfloat16", "float16"}
                                           : std::vector<std::string>{"float16"};
}

dataset::Batch first_batch(const RunContext& context, const Data& data, const run::RunState& state,
                           int most) {
  dataset::LoaderOptions options = loader_options(data, *context.group, state);
  const int least = options.quad ? 4 : 1;
  options.batch_size = std::clamp(state.options.batch_size, least, std::max(most, least));
  options.cache_bytes = 0;
  options.parts = 1;  // the same pictures, and the same findings, in every process
  options.part = 0;
  options.prefetch = 1;
  dataset::BatchLoader loader(data.train, options);
  loader.start(0);
  auto batch = loader.next();
  if (!batch) throw Error("expected a first batch, found none");
  return std::move(*batch);
}

bool choose_precision(const RunContext& context, const Model& model, const dataset::Batch& batch,
                      run::RunState& state) {
  run::TrainOptions& o = state.options;
  const std::vector<std::string> types = narrow_types(context.device, o);
  const bool chosen_here = o.precision == "auto";
  o.precision = "float32";
  if (types.empty()) {
    log::info(fmt::format("precision: float32{}",
                          chosen_here ? " (this processor does not multiply bfloat16)" : ""));
    return true;
  }
  for (const std::string& type : types) {
    const PrecisionCheck check = compared_with_float32(context.device, model, batch, type);
    if (check.aligned || check.undecided) {
      o.precision = type;
      state.float32_first = check.undecided;
      log::info(fmt::format(
          "precision: {}{}, compared with float32 on {} images: {} ({} float32 switches it off)",
          type, check.aligned ? "" : " from when its gradients point where float32's do",
          batch.count, check.text(), setting_name("precision")));
      return check.accepted;
    }
    log::warning(fmt::format("precision: {} is too far off on {} images: {}{}", type, batch.count,
                             check.text(), type == types.back() ? "; float32 is taken" : ""));
  }
  o.amp = false;
  return true;
}

void take_precision(const RunContext& context, run::RunState& state) {
  const std::vector<std::string> types = narrow_types(context.device, state.options);
  state.options.precision = types.empty() ? "float32" : types.front();
}

void end_float32_in_time(const RunContext& context, const Data& data, const Model& model,
                         run::RunState& state) {
  const std::string& type = state.options.precision;
  const PrecisionCheck check = compared_with_float32(
      context.device, model, first_batch(context, data, state, most_compared), type);
  if (!check.aligned) return;
  state.float32_first = false;
  model.network->set_compute(compute_type(type));
  log::info(
      fmt::format("epoch {}: precision: {} from here on: {}", state.epoch, type, check.text()));
}

}  // namespace yolov7::training
