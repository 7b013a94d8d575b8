#include "training/setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anchors/anchor_search.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/config/config_document.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/graph/variants.hpp"
#include "network/transform/training_graph.hpp"
#include "nn/device.hpp"
#include "nn/initial_values.hpp"
#include "run/recipe.hpp"
#include "training/fine_tuning/start_weights.hpp"
#include "training/fine_tuning/transfer.hpp"
#include "training/preflight.hpp"
#include "training/run_start.hpp"

namespace yolov7::training {
namespace {

int rounded_size(int size, int stride, const char* what) {
  const int rounded = (size + stride - 1) / stride * stride;
  if (rounded != size)
    log::warning(fmt::format("--img-size: {} {} is not a multiple of {}; using {}", what, size,
                             stride, rounded));
  return rounded;
}

void choose_sizes(Setup& s) {
  s.stride = std::max(32, static_cast<int>(s.network->description().largest_stride()));
  s.train_size = rounded_size(s.state.options.img_size.front(), s.stride, "training size");
  s.val_size = rounded_size(s.state.options.img_size.back(), s.stride, "validation size");
}

/// The checkpoint's network, or its training graph if the checkpoint is in deploy form.
void choose_own_graph(Setup& s, const network::Checkpoint& initial) {
  s.config = initial.config;
  s.config_source = initial.config_source;
  const auto training = network::training_graph(initial);
  if (!training) return;
  log::info(
      fmt::format("a deploy checkpoint, and training needs a training graph: it is converted to {} "
                  "(--cfg chooses another)",
                  training->config_source));
  s.config = training->config;
  s.config_source = training->config_source;
}

/// None: from scratch, or not known before the network is.
std::optional<network::Checkpoint> initial_weights(const run::TrainOptions& o) {
  if (o.weights.empty() || o.weights == "auto") return std::nullopt;
  if (names_start(o.weights)) return read_start();
  network::Checkpoint checkpoint = network::read_checkpoint(o.weights);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", o.weights, note));
  network::check_finite(checkpoint.inference_weights(), o.weights);
  return checkpoint;
}

/// Settles `--weights auto`, and refuses `--weights synth` for other networks.
void choose_start(Setup& s, std::optional<network::Checkpoint>& initial) {
  run::TrainOptions& o = s.state.options;
  if (!names_start(o.weights)) return;
  const network::Variant* variant =
      network::find_variant(static_cast<int>(s.network->description().layers.size()));
  const bool tiny = variant != nullptr && variant->name == "yolov7-tiny";
  if (!initial && tiny) initial = read_start();
  const std::string misfit =
      initial ? first_misfit(*initial, *s.network) : "there is a start for yolov7-tiny only";
  if (misfit.empty()) {
    o.weights = "synth";
    log::info(
        "weights: synth, the start for yolov7-tiny that was trained on formula-made pictures "
        "(--weights '' trains from scratch)");
    return;
  }
  if (o.weights == "synth")
    throw usage_error(
        fmt::format("--weights synth: expected yolov7-tiny, of which this start is; found {}: {}",
                    s.config_source, misfit));
  o.weights.clear();
  initial.reset();
  log::info(fmt::format("weights: none, from scratch ({})", misfit));
}

void build_network(Setup& s, const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = s.state.options;
  std::optional<network::Checkpoint> initial;
  if (!resumed) initial = initial_weights(o);
  if (resumed) {
    s.config = resumed->config;
    s.config_source = resumed->config_source;
  } else if (!o.cfg.empty()) {
    s.config = network::read_config(o.cfg);
    s.config_source = o.cfg;
  } else {
    choose_own_graph(s, *initial);
  }
  if (!resumed && s.state.hyp.anchors > 0)
    s.config = network::with_anchor_count(s.config, s.config_source, s.state.hyp.anchors);
  network::Overrides overrides;
  overrides.class_count = static_cast<int>(s.train.names.size());
  s.network = std::make_unique<nn::TorchNetwork>(
      network::build(s.config, s.config_source, overrides), at::kFloat, s.device);
  nn::initialize(*s.network, static_cast<std::uint64_t>(o.seed));
  if (!resumed) choose_start(s, initial);
  if (resumed) {
    s.network->load(resumed->model);
  } else if (initial) {
    const TransferReport report =
        transfer(*initial, *s.network, s.train.names, /*keep_anchors=*/!o.cfg.empty());
    for (const std::string& line : report.lines()) log::info(line);
  }
  s.plan = std::make_unique<run::TransferPlan>(o, s.network->description());
  freeze_for(s, s.state.epoch);
  if (s.plan->empty()) return;
  for (const std::string& line : s.plan->lines(o.epochs)) log::info(line);
  if (s.group->writes())
    file::write_atomically(s.folder / "transfer_plan.svg", s.plan->svg(o.epochs));
}

LossOptions loss_options(const Setup& s, LossOptions::Kind kind) {
  const run::Hyperparameters& h = s.state.hyp;
  const network::Network& description = s.network->description();
  LossOptions options;
  options.kind = kind;
  options.gains = scaled_gains({h.box, h.cls, h.obj}, description.lead_levels(),
                               description.class_count, s.train_size);
  options.cls_positive_weight = h.cls_pw;
  options.obj_positive_weight = h.obj_pw;
  options.ratio_limit = h.anchor_t;
  options.focal_gamma = h.fl_gamma;
  options.label_smoothing =
      s.state.options.label_smoothing > 0 ? s.state.options.label_smoothing : h.label_smoothing;
  return options;
}

void make_losses(Setup& s) {
  const bool auxiliary = s.network->description().head == network::HeadKind::iauxdetect;
  if (auxiliary && s.state.hyp.loss_ota == 0)
    log::warning(
        "loss_ota: 0 has no effect: this network's auxiliary head needs the auxiliary OTA loss");
  const auto kind = auxiliary                   ? LossOptions::Kind::auxiliary
                    : s.state.hyp.loss_ota == 1 ? LossOptions::Kind::ota
                                                : LossOptions::Kind::plain;
  LossOptions options = loss_options(s, kind);
  options.autobalance = s.state.options.autobalance;
  s.loss = std::make_unique<Loss>(options, s.network->description());
  if (!s.state.loss_balance.empty()) s.loss->set_balance(s.state.loss_balance);
  s.validation_loss =
      std::make_unique<Loss>(loss_options(s, LossOptions::Kind::plain), s.network->description());
}

}  // namespace

void freeze_for(Setup& s, int epoch) {
  const auto frozen = s.network->freeze(s.plan->frozen(epoch), s.state.options.freeze_bn);
  if (!frozen.empty() || s.plan->changes_at(epoch))
    log::info(fmt::format(
        "epoch {}: {} tensors are frozen{}", epoch, frozen.size(),
        frozen.empty() ? "" : fmt::format(", from {} to {}", frozen.front(), frozen.back())));
}

dataset::LoaderOptions loader_options(const Setup& s) {
  const run::TrainOptions& o = s.state.options;
  dataset::LoaderOptions l;
  l.batch_size = o.batch_size;
  l.image_size = s.train_size;
  l.stride = s.stride;
  l.augment = true;
  l.rectangular_pad = 0;
  l.shuffle = !o.no_shuffle;
  l.quad = o.quad;
  l.workers = std::min(o.workers, std::max(1, usable_cores() / s.group->world().local_size));
  l.part = s.group->rank();
  l.parts = s.group->size();
  l.seed = static_cast<std::uint64_t>(o.seed);
  l.cache_bytes = static_cast<std::size_t>(o.cache_budget * 1e9);
  l.scaled_decoding = o.scaled_decoding;
  l.epochs = o.epochs;
  if (o.close_mosaic > 0) l.last_mosaic_epoch = o.epochs - o.close_mosaic - 1;
  l.augmentation = s.state.hyp.augmentation;
  l.rectangular = o.rect && !o.image_weights;
  return l;
}

namespace {

void make_loader(Setup& s) {
  if (s.state.options.image_weights && s.state.options.rect)
    log::warning("--image-weights: pictures are drawn one by one, so --rect is off");
  s.loader = std::make_unique<dataset::BatchLoader>(s.train, loader_options(s));
}

run::ScheduleOptions schedule_options(const Setup& s, int epochs) {
  const run::TrainOptions& o = s.state.options;
  const run::Hyperparameters& h = s.state.hyp;
  const run::UsedRates rates = run::used_rates(o, h);
  run::ScheduleOptions plan;
  plan.epochs = epochs;
  plan.batches_per_epoch = static_cast<std::int64_t>(s.loader->batches());
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

void make_schedule(Setup& s) {
  const run::TrainOptions& o = s.state.options;
  s.schedule = std::make_unique<run::Schedule>(schedule_options(s, o.epochs));
  if (s.epochs_before > 0 && s.epochs_before != o.epochs) {
    const run::Schedule before(schedule_options(s, s.epochs_before));
    const std::int64_t next =
        s.state.epoch * static_cast<std::int64_t>(s.loader->batches()) + s.state.batch;
    log::info(
        fmt::format("epochs: {} instead of {}; the schedule follows the new number from here on: "
                    "rate {:.4g} instead of {:.4g} at epoch {}",
                    o.epochs, s.epochs_before, s.schedule->at(next).rates[1],
                    before.at(next).rates[1], s.state.epoch));
  }
  log::info(fmt::format(
      "warm-up: {} of {} iterations{}", s.schedule->warmup_iterations(), s.schedule->iterations(),
      o.warmup_cap == 0 ? " (official rule)"
                        : fmt::format(" (at most {:.0f} %; --warmup-cap 0 = official rule)",
                                      100 * o.warmup_cap)));
}

std::unique_ptr<Optimizer> make_optimizer(const Setup& s) {
  const run::TrainOptions& o = s.state.options;
  OptimizerOptions rule;
  rule.kind = optimizer_kind(run::optimizer_of(o));
  const run::UsedRates rates = run::used_rates(o, s.state.hyp);
  rule.weight_decay = run::scaled_weight_decay(rates.weight_decay, o.batch_size, o.nbs);
  rule.beta1 = s.state.hyp.momentum;
  rule.layer_rates = s.plan->layer_rates();
  if (rule.kind != OptimizerKind::sgd && rates.warmup_bias_lr > rates.lr0)
    log::warning(fmt::format("warmup_bias_lr {} is high for {}: at most lr0 ({}) is recommended",
                             text::general(rates.warmup_bias_lr), run::optimizer_of(o),
                             text::general(rates.lr0)));
  return std::make_unique<Optimizer>(*s.network, rule);
}

/// Searched anchors, where their best possible recall is above `recall` (training 12).
void replace_anchors(Setup& s, double recall) {
  const network::Network& description = s.network->description();
  const std::size_t levels = description.lead_levels(),
                    per_level = static_cast<std::size_t>(description.anchors_per_level);
  anchors::AnchorSearchOptions options;
  options.count = static_cast<int>(levels * per_level);
  options.threshold = s.state.hyp.anchor_t;
  options.seed = static_cast<std::uint64_t>(s.state.options.seed);
  const anchors::AnchorSearch found = anchors::search_anchors(s.train, s.train_size, options);
  if (found.fit.best_possible_recall <= recall) {
    log::warning(fmt::format(
        "anchors: the searched ones are no better (best possible recall {:.4f}); the old ones stay",
        found.fit.best_possible_recall));
    return;
  }
  // Sorted by area, so many per level, the finest level first.
  std::vector<std::vector<network::AnchorSize>> rows(levels);
  for (std::size_t i = 0; i < found.anchors.size(); ++i)
    rows[i / per_level].push_back(found.anchors[i]);
  s.network->set_anchors(rows);
  std::vector<std::string> shown;
  for (const network::AnchorSize& a : found.anchors)
    shown.push_back(fmt::format("{:.0f} x {:.0f}", a.w, a.h));
  log::info(fmt::format("anchors: searched, best possible recall {:.4f}, fitness {:.4f}: {}",
                        found.fit.best_possible_recall, found.fitness, text::join(shown, ", ")));
}

void say_anchor_fit(Setup& s) {
  if (s.state.options.noautoanchor && s.state.hyp.anchors == 0) return;
  const anchors::AnchorFit fit =
      anchors::anchor_fit(s.train, s.network->description(), s.train_size, s.state.hyp.anchor_t);
  const std::string line =
      fmt::format("anchors: {:.2f} above the threshold per label, best possible recall {:.4f}",
                  fit.anchors_above_threshold, fit.best_possible_recall);
  const bool placeholders =
      s.state.hyp.anchors > 0 || s.network->description().levels[0].anchors[0].w == 0;
  if (fit.best_possible_recall >= 0.98 && !placeholders) {
    log::info(line);
    return;
  }
  log::info(placeholders ? std::string("anchors: as many per level as asked for, to be searched")
                         : line + ": below 0.98, so better ones are searched");
  replace_anchors(s, placeholders ? -1 : fit.best_possible_recall);
}

/// Every process has the same share of a batch.
void require_shares(const Setup& s) {
  if (s.state.options.batch_size % s.group->size() != 0)
    throw usage_error(
        fmt::format("--batch-size: expected a multiple of the number of processes, {}, found {}",
                    s.group->size(), s.state.options.batch_size));
}

/// What makes several processes one training. They must be equal before they begin.
void join_processes(Setup& s) {
  if (s.group->size() == 1) return;
  std::string sums;
  for (const nn::TorchNetwork::Entry& entry : s.network->entries())
    sums += fmt::format("{:a} ", entry.tensor.detach().to(at::kDouble).sum().item<double>());
  run::RunState common = s.state;
  for (std::string* here : {&common.options.data, &common.options.cfg, &common.options.weights,
                            &common.options.hyp, &common.options.project, &common.options.resume})
    here->clear();  // paths of each machine
  common.options.threads = common.options.workers = 0;
  const std::vector<std::pair<const char*, std::string>> facts{
      {"configuration", s.config},
      {"training split", s.train.identity},
      {"validation split", s.val.identity},
      {"set of options or state", run::to_text(common)},
      {"set of weights", sums}};
  for (const auto& [what, own] : facts) {
    const std::vector<std::string> all = s.group->gather(own);
    for (std::size_t rank = 1; rank < all.size(); ++rank)
      if (all[rank] != all[0])
        throw Error(
            fmt::format("training by several processes: rank {} has another {} than rank 0; "
                        "expected the same files, options and program everywhere",
                        rank, what));
  }
  if (s.state.options.sync_bn) s.network->set_joint_statistics(s.group);
  s.loss->join(*s.group, s.state.options.global_loss_norm);
  s.gradient_sums = std::make_unique<GradientSums>(*s.network, *s.group);
}

}  // namespace

int Setup::threads() const {
  return state.options.threads > 0 ? state.options.threads
                                   : std::max(1, usable_cores() / group->world().local_size);
}

Setup prepare(const TrainRequest& request, Communicator& group) {
  Setup s;
  s.group = &group;
  const auto resumed = open_run(s, request);
  s.device = nn::choose_device(s.state.options.device, group.world());
  group.use(s.device);
  at::set_num_threads(s.threads());
  read_data(s, resumed);
  if (!resumed)
    if (const std::string changed =
            run::apply_recipe(s.state.options, request.given, s.train.entries.size(), group.size());
        !changed.empty())
      log::info(changed);
  require_shares(s);
  build_network(s, resumed);
  choose_sizes(s);
  if (!resumed) say_anchor_fit(s);
  make_losses(s);
  preflight(s, resumed.has_value());
  if (group.writes())
    run::write_configuration(s.folder, s.state.options, s.state.hyp, group.size());
  s.ema = std::make_unique<Ema>(*s.network);
  s.optimizer = make_optimizer(s);
  if (resumed) {
    s.ema->load(resumed->ema, s.state.ema_updates);
    s.optimizer->load(resumed->optimizer);
  }
  join_processes(s);
  make_loader(s);
  make_schedule(s);
  if (group.writes()) run::write_results(s.folder, s.state.records, s.state.options.epochs);
  const auto groups = s.optimizer->group_sizes();
  log::info(fmt::format("loader: {} threads; {} of {} pictures fit into the cache of {} GB",
                        s.loader->threads(), s.loader->cached_pictures(), s.train.entries.size(),
                        text::general(s.state.options.cache_budget)));
  log::info(
      fmt::format("{} classes, {} training and {} validation pictures; optimizer groups: {} "
                  "biases, {} convolution weights, {} other; computed by {}, {} threads",
                  s.train.names.size(), s.train.entries.size(), s.val.entries.size(), groups[2],
                  groups[1], groups[0], nn::device_text(s.device), at::get_num_threads()));
  if (group.size() > 1)
    log::info(fmt::format(
        "{} processes, {} of them on this machine: {} pictures of a batch each; batch statistics "
        "{}; loss means {}",
        group.size(), group.world().local_size, s.own_batch(),
        s.state.options.sync_bn ? "of all (--sync-bn)" : "of each process's own pictures",
        s.state.options.global_loss_norm ? "over all (--global-loss-norm)"
                                         : "over each process's own positives"));
  return s;
}

}  // namespace yolov7::training
