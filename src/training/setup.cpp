#include "training/setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "nn/device.hpp"
#include "run/recipe.hpp"
#include "run/records.hpp"
#include "training/anchor_choice.hpp"
#include "training/precision_choice.hpp"
#include "training/preflight.hpp"
#include "training/quantized_model.hpp"
#include "training/run_start.hpp"
#include "training/teacher_choice.hpp"

namespace yolov7::training {
namespace {

/// Compute threads of a process: --threads, or its share of the cores.
int compute_threads(const run::TrainOptions& o, const run::World& world) {
  return o.threads > 0 ? o.threads : std::max(1, usable_cores() / world.local_size);
}

/// Every process has the same share of a batch.
void require_shares(int batch, int processes) {
  if (batch % processes != 0)
    throw usage_error(
        fmt::format("{}: expected a multiple of the number of processes, {}, found {}",
                    setting_name("batch-size"), processes, batch));
}

std::unique_ptr<dataset::BatchLoader> make_loader(const RunContext& context, const Data& data,
                                                  const run::RunState& state) {
  if (state.options.image_weights && state.options.rect)
    log::warning(fmt::format("{}: images are drawn one by one, so {} is off",
                             setting_name("image-weights"), setting_name("rect")));
  return std::make_unique<dataset::BatchLoader>(data.train,
                                                loader_options(data, *context.group, state));
}

run::ScheduleOptions schedule_options(const run::RunState& state, std::int64_t batches,
                                      int epochs) {
  const run::TrainOptions& o = state.options;
  const run::Hyperparameters& h = state.hyp;
  const run::UsedRates rates = run::used_rates(o, h);
  run::ScheduleOptions plan;
  plan.epochs = epochs;
  plan.batches_per_epoch = batches;
  plan.total_batch = o.batch_size;
  plan.nominal_batch = o.nbs;
  plan.kind = o.linear_lr ? run::ScheduleKind::linear : run::schedule_kind(o.schedule);
  plan.steps = o.lr_steps;
  plan.step_factor = o.lr_factor;
  plan.plateau = {o.lr_patience, o.lr_factor, o.lr_floor};
  plan.lr0 = rates.lr0;
  plan.lrf = h.lrf;
  plan.momentum = h.momentum;
  plan.warmup_epochs = h.warmup_epochs;
  plan.warmup_momentum = h.warmup_momentum;
  plan.warmup_bias_lr = rates.warmup_bias_lr;
  plan.warmup_cap = o.warmup_cap;
  return plan;
}

/// `epochs_before`: what a resumed run was planned for; 0: a new one.
std::unique_ptr<run::Schedule> make_schedule(const run::RunState& state, std::int64_t batches,
                                             int epochs_before) {
  const run::TrainOptions& o = state.options;
  auto schedule = std::make_unique<run::Schedule>(schedule_options(state, batches, o.epochs));
  if (epochs_before > 0 && epochs_before != o.epochs) {
    const run::Schedule before(schedule_options(state, batches, epochs_before));
    const std::int64_t next = state.epoch * batches + state.batch;
    log::info(
        fmt::format("epochs: {} instead of {}; the schedule follows the new number from here on: "
                    "rate {:.4g} instead of {:.4g} at epoch {}",
                    o.epochs, epochs_before, schedule->at(next).rates[1], before.at(next).rates[1],
                    state.epoch));
  }
  log::info(fmt::format(
      "warm-up: {} of {} iterations{}", schedule->warmup_iterations(), schedule->iterations(),
      o.warmup_cap == 0 ? " (official rule)"
                        : fmt::format(" (at most {:.0f} %; {} 0 = official rule)",
                                      100 * o.warmup_cap, setting_name("warmup-cap"))));
  return schedule;
}

/// Of all networks that see the images.
double largest_stride(const Model& model) {
  const double own = model.network->description().largest_stride();
  return model.distillation ? std::max(own, model.distillation->stride()) : own;
}

void say_what_begins(const PreparedRun& run) {
  const Data& data = run.data;
  const run::TrainOptions& o = run.state.options;
  const Communicator& group = *run.context.group;
  const auto groups = run.model.optimizer->group_sizes();
  log::info(fmt::format("loader: {} threads; {} of {} images fit into the cache of {} GB",
                        data.loader->threads(), data.loader->cached_pictures(),
                        data.train.entries.size(), text::general(o.cache_budget)));
  log::info(fmt::format(
      "{} classes, {} training and {} validation images; optimizer groups: {} "
      "biases, {} convolution weights, {} other; computed by {}, {} threads",
      data.train.names.size(), data.train.entries.size(), data.val.entries.size(), groups[2],
      groups[1], groups[0], nn::device_text(run.context.device), at::get_num_threads()));
  if (group.size() > 1)
    log::info(fmt::format(
        "{} processes, {} of them on this machine: {} images of a batch each; batch statistics "
        "{}; loss means {}",
        group.size(), group.world().local_size, run.context.own(o.batch_size),
        o.sync_bn ? fmt::format("of all ({})", setting_name("sync-bn"))
                  : "of each process's own images",
        o.global_loss_norm ? fmt::format("over all ({})", setting_name("global-loss-norm"))
                           : "over each process's own positives"));
}

}  // namespace

std::unique_ptr<PreparedRun> prepare(const TrainRequest& request, Communicator& group) {
  auto run = std::make_unique<PreparedRun>();
  RunContext& context = run->context;
  run::RunState& state = run->state;
  Data& data = run->data;
  Model& model = run->model;
  context.group = &group;
  context.stop = request.stop;
  run->started = request.started;
  const auto [resumed, epochs_before] = open_run(context, state, request);
  context.device = nn::choose_device(state.options.device, group.world());
  context.threads = compute_threads(state.options, group.world());
  group.use(context.device);
  at::set_num_threads(context.threads);
  if (state.options.threads <= 0 && group.size() == 1 && context.device.is_cpu())
    run->load.emplace();
  std::optional<network::Checkpoint> initial = choose_config(model, state, resumed);
  read_data(data, context, state, resumed);
  if (!resumed)
    if (const std::string changed = run::apply_recipe(state.options, request.given,
                                                      data.train.entries.size(), group.size());
        !changed.empty())
      log::info(changed);
  require_shares(state.options.batch_size, group.size());
  build_network(model, context, state, data.train.names, resumed, std::move(initial));
  open_teacher(model, context, state, data.train.names, resumed);
  open_unlabelled(data, context, state, resumed.has_value());
  choose_sizes(data, state.options, largest_stride(model));
  if (!resumed) choose_anchors(*model.network, data, state, context.stop);
  start_quantizers(model, context, data, state, resumed);
  make_losses(model, state, data.train_size);
  if (request.trial) take_precision(context, state);
  run->memory = preflight(context, data, model, state, resumed.has_value() || request.trial);
  if (group.writes())
    run::write_configuration(context.folder, state.options, state.hyp, group.size());
  make_optimizer(model, state, resumed);
  join_processes(model, context, data, state);
  data.loader = make_loader(context, data, state);
  start_unlabelled(data, context, state);
  run->schedule =
      make_schedule(state, static_cast<std::int64_t>(data.loader->batches()), epochs_before);
  if (group.writes()) run::write_results(context.folder, state.records, state.options.epochs);
  say_what_begins(*run);
  return run;
}

}  // namespace yolov7::training
