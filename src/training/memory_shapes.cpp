#include "training/memory_shapes.hpp"

#include <algorithm>

#include "dataset/loading/epoch_plan.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/links.hpp"
#include "run/recipe.hpp"
#include "training/multi_scale.hpp"
#include "training/pass_memory.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

constexpr int queued_batches = 6;  ///< finished or in work at the loader, and the one in use
constexpr double certain = 0.8;    ///< of the activations that shapes tell

std::uint64_t bytes_of(const nn::TorchNetwork& network) {
  std::int64_t bytes = 0;
  for (const nn::TorchNetwork::Entry& entry : network.entries()) bytes += entry.tensor.numel() * 4;
  return static_cast<std::uint64_t>(bytes);
}

/// Tensors of the optimizer for each parameter.
std::uint64_t moments(const run::TrainOptions& o) { return run::optimizer_of(o) == "sgd" ? 1 : 2; }

/// Of a picture: what the head reads and what it gives.
std::int64_t output_elements(const network::Network& network, cv::Size shape) {
  std::int64_t elements = 0;
  const std::vector<network::ValueSize> sizes =
      network::value_sizes(network, shape.height, shape.width);
  const auto add = [&](int value) {
    const network::ValueSize& size = sizes[static_cast<std::size_t>(value)];
    elements += std::int64_t{size.channels} * size.height * size.width;
  };
  for (const int value : network::head_inputs(network)) add(value);
  for (const network::Level& level : network.levels) add(level.value);
  return elements;
}

double pass_of_a_picture(const Model& model, const run::RunState& state, cv::Size shape,
                         int value_bytes) {
  const double own = pass_bytes(model.network->description(), shape.height, shape.width,
                                value_bytes, model.plan->frozen(state.options.epochs - 1));
  if (!model.distillation) return own;
  // The teacher's pass comes first, and leaves its outputs.
  const network::Network& teacher = model.distillation->teacher().description();
  const double pass =
      static_cast<double>(
          network::cost(teacher, shape.height, shape.width).inference_activation_bytes) *
      value_bytes / 4;
  return std::max(pass, own + static_cast<double>(output_elements(teacher, shape)) * value_bytes);
}

}  // namespace

std::uint64_t bytes_beside_weights(const nn::TorchNetwork& network, const run::TrainOptions& o) {
  return bytes_of(network) * (2 * (1 + moments(o)) + 1);
}

std::uint64_t gpu_bytes_beside_weights(const nn::TorchNetwork& network,
                                       const run::TrainOptions& o) {
  return bytes_of(network) * (moments(o) + 1);
}

double cache_bytes(const Data& data, const run::TrainOptions& o) {
  return std::min(o.cache_budget * 1e9, static_cast<double>(data.train.entries.size()) * 3.0 *
                                            data.train_size * data.train_size);
}

double queue_bytes(int height, int width) { return 3.0 * height * width * queued_batches; }

cv::Size training_shape(const RunContext& context, const Data& data, const run::RunState& state) {
  if (state.options.multi_scale) {
    const auto side = static_cast<int>(largest_multi_scale(data.train_size, data.stride)) /
                      data.stride * data.stride;
    return {side, side};
  }
  const auto batches =
      dataset::plan_epoch(data.train, loader_options(data, *context.group, state), 0).batches;
  return batches.empty() ? cv::Size(data.train_size, data.train_size) : batches.front().shape;
}

MemoryModel memory_from_shapes(const RunContext& context, const Data& data, const Model& model,
                               const run::RunState& state, std::uint64_t resident,
                               int value_bytes) {
  const run::TrainOptions& o = state.options;
  const cv::Size shape = training_shape(context, data, state);
  MemoryModel memory;
  memory.per_micro_picture = certain * pass_of_a_picture(model, state, shape, value_bytes);
  if (!context.device.is_cpu()) {
    memory.per_batch_picture = 4.0 * 3 * shape.area();
    memory.base = resident + gpu_bytes_beside_weights(*model.network, o);
    return memory;
  }
  memory.per_batch_picture =
      queue_bytes(shape.height, shape.width) +
      2 * validation_from_shapes(context, data, *model.network, o).per_picture;
  memory.base = resident + bytes_beside_weights(*model.network, o) +
                static_cast<std::uint64_t>(cache_bytes(data, o));
  return memory;
}

int pictures_for_trial(const RunContext& context, const Data& data, const Model& model,
                       const run::RunState& state, const Room& room, int most) {
  const cv::Size shape = training_shape(context, data, state);
  constexpr double in_work = 4;  // bytes of the picture, its mosaic, and what is warped from it
  const double picture = pass_of_a_picture(model, state, shape, 4) + in_work * 3 * shape.area();
  const double left = static_cast<double>(room.allowed) -
                      static_cast<double>(std::min(room.allowed, room.resident));
  return std::clamp(static_cast<int>(std::min(left / picture, 1e6)), 1, most);
}

}  // namespace yolov7::training
