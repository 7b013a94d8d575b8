#include "training/model.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/config/config_document.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/graph/variants.hpp"
#include "network/transform/training_graph.hpp"
#include "nn/initial_values.hpp"
#include "run/qat_recipe.hpp"
#include "run/recipe.hpp"
#include "run/schedule.hpp"
#include "training/fine_tuning/start_weights.hpp"
#include "training/fine_tuning/transfer.hpp"
#include "training/float_parent.hpp"

namespace yolov7::training {
namespace {

/// The checkpoint's network, or its training graph if the checkpoint is in deploy form.
void choose_own_graph(Model& model, const network::Checkpoint& initial) {
  model.config = initial.config;
  model.config_source = initial.config_source;
  const auto training = network::training_graph(initial);
  if (!training) return;
  log::info(
      fmt::format("a deploy checkpoint, and training needs a training graph: it is converted to {} "
                  "({} chooses another)",
                  training->config_source, setting_name("cfg")));
  model.config = training->config;
  model.config_source = training->config_source;
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
void choose_start(const Model& model, run::TrainOptions& o,
                  std::optional<network::Checkpoint>& initial) {
  if (!names_start(o.weights)) return;
  const network::Variant* variant =
      network::find_variant(static_cast<int>(model.network->description().layers.size()));
  const bool tiny = variant != nullptr && variant->name == "yolov7-tiny";
  if (!initial && tiny) initial = read_start();
  const std::string misfit =
      initial ? first_misfit(*initial, *model.network) : "there is a start for yolov7-tiny only";
  if (misfit.empty()) {
    o.weights = "synth";
    log::info(fmt::format(
        "weights: synth, the start for yolov7-tiny that was trained on formula-made images "
        "({} '' trains from scratch)",
        setting_name("weights")));
    return;
  }
  if (o.weights == "synth")
    throw usage_error(
        fmt::format("{} synth: expected yolov7-tiny, of which this start is; found {}: {}",
                    setting_name("weights"), model.config_source, misfit));
  o.weights.clear();
  initial.reset();
  log::info(fmt::format("weights: none, from scratch ({})", misfit));
}

/// Of the configuration, with its first weights unless the run is resumed.
void make_network(Model& model, const RunContext& context, run::RunState& state,
                  const std::vector<std::string>& names,
                  const std::optional<network::Checkpoint>& resumed,
                  std::optional<network::Checkpoint> initial) {
  network::Overrides overrides;
  overrides.class_count = static_cast<int>(names.size());
  model.network = std::make_unique<nn::TorchNetwork>(
      network::build(model.config, model.config_source, overrides), at::kFloat, context.device);
  nn::initialize(*model.network, static_cast<std::uint64_t>(state.options.seed));
  if (resumed) return;
  choose_start(model, state.options, initial);
  if (!initial) return;
  const TransferReport report = transfer(*initial, *model.network, names,
                                         /*keep_anchors=*/!state.options.cfg.empty());
  for (const std::string& line : report.lines()) log::info(line);
}

LossOptions loss_options(const network::Network& description, const run::RunState& state,
                         int train_size, LossOptions::Kind kind) {
  const run::Hyperparameters& h = state.hyp;
  LossOptions options;
  options.kind = kind;
  options.gains = scaled_gains({h.box, h.cls, h.obj}, description.lead_levels(),
                               description.class_count, train_size);
  options.cls_positive_weight = h.cls_pw;
  options.obj_positive_weight = h.obj_pw;
  options.ratio_limit = h.anchor_t;
  options.focal_gamma = h.fl_gamma;
  options.label_smoothing =
      state.options.label_smoothing > 0 ? state.options.label_smoothing : h.label_smoothing;
  return options;
}

}  // namespace

std::optional<network::Checkpoint> choose_config(
    Model& model, const run::RunState& state, const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = state.options;
  if (resumed) {
    model.config = resumed->config;
    model.config_source = resumed->config_source;
    return std::nullopt;
  }
  std::optional<network::Checkpoint> initial = initial_weights(o);
  if (o.qat.on) {
    require_float_parent(*initial, state);
    model.config = initial->config;
    model.config_source = initial->config_source;
  } else if (!o.cfg.empty()) {
    model.config = network::read_config(o.cfg);
    model.config_source = o.cfg;
  } else {
    choose_own_graph(model, *initial);
  }
  if (state.hyp.anchors > 0)
    model.config = network::with_anchor_count(model.config, model.config_source, state.hyp.anchors);
  const run::TransferPlan possible(o, network::build(model.config, model.config_source));
  return initial;
}

void build_network(Model& model, const RunContext& context, run::RunState& state,
                   const std::vector<std::string>& names,
                   const std::optional<network::Checkpoint>& resumed,
                   std::optional<network::Checkpoint> initial) {
  const run::TrainOptions& o = state.options;
  if (o.qat.on)
    model.network = folded_network(resumed ? *resumed : *initial, names, context.device);
  else
    make_network(model, context, state, names, resumed, std::move(initial));
  if (resumed) model.network->load(resumed->model);
  model.plan = std::make_unique<run::TransferPlan>(o, model.network->description());
  freeze_for_epoch(model, state);
  if (model.plan->empty()) return;
  for (const std::string& line : model.plan->lines(o.epochs)) log::info(line);
  if (context.writes())
    file::write_atomically(context.folder / "transfer_plan.svg", model.plan->svg(o.epochs));
}

void make_losses(Model& model, const run::RunState& state, int train_size) {
  const network::Network& description = model.network->description();
  const bool auxiliary = description.head == network::HeadKind::iauxdetect;
  if (auxiliary && state.hyp.loss_ota == 0)
    log::warning(
        "loss_ota: 0 has no effect: this network's auxiliary head needs the auxiliary OTA loss");
  const auto kind = auxiliary                 ? LossOptions::Kind::auxiliary
                    : state.hyp.loss_ota == 1 ? LossOptions::Kind::ota
                                              : LossOptions::Kind::plain;
  LossOptions options = loss_options(description, state, train_size, kind);
  options.autobalance = state.options.autobalance;
  model.loss = std::make_unique<Loss>(options, description);
  if (run::learns_unlabelled(state.options.semi)) {
    LossOptions pseudo = options;
    pseudo.autobalance = false;  // the labelled images' balance is taken
    model.pseudo_loss = std::make_unique<Loss>(pseudo, description);
  }
  if (!state.loss_balance.empty()) model.loss->set_balance(state.loss_balance);
  model.validation_loss = std::make_unique<Loss>(
      loss_options(description, state, train_size, LossOptions::Kind::plain), description);
}

void make_optimizer(Model& model, const run::RunState& state,
                    const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = state.options;
  model.ema = std::make_unique<Ema>(*model.network);
  OptimizerOptions rule;
  rule.kind = optimizer_kind(run::optimizer_of(o));
  const run::UsedRates rates = run::used_rates(o, state.hyp);
  rule.weight_decay = run::scaled_weight_decay(rates.weight_decay, o.batch_size, o.nbs);
  rule.beta1 = state.hyp.momentum;
  rule.layer_rates = model.plan->layer_rates();
  if (rule.kind != OptimizerKind::sgd && rates.warmup_bias_lr > rates.lr0)
    log::warning(fmt::format("warmup_bias_lr {} is high for {}: at most lr0 ({}) is recommended",
                             text::general(rates.warmup_bias_lr), run::optimizer_of(o),
                             text::general(rates.lr0)));
  model.optimizer = std::make_unique<Optimizer>(*model.network, rule);
  if (model.distillation)
    for (const Distillation::Adapter& adapter : model.distillation->adapters())
      model.optimizer->add(adapter.name, adapter.weight, ParameterGroup::weight);
  if (model.quantizers)
    for (const nn::FakeQuantizers::Range& one : model.quantizers->ranges())
      model.optimizer->add(one.name, one.log_scale, ParameterGroup::scale, run::range_rate);
  if (!resumed) return;
  model.ema->load(resumed->ema, state.ema_updates);
  model.optimizer->load(resumed->optimizer);
}

void join_processes(Model& model, const RunContext& context, const Data& data,
                    const run::RunState& state) {
  if (context.group->size() == 1) return;
  std::string sums;
  for (const nn::TorchNetwork::Entry& entry : model.network->entries())
    sums += fmt::format("{:a} ", entry.tensor.detach().to(at::kDouble).sum().item<double>());
  run::RunState common = state;
  for (std::string* here : {&common.options.data, &common.options.cfg, &common.options.weights,
                            &common.options.hyp, &common.options.project, &common.options.resume,
                            &common.options.distill.teacher, &common.options.semi.unlabelled})
    here->clear();  // paths of each machine
  common.options.threads = common.options.workers = 0;
  const std::vector<std::pair<const char*, std::string>> facts{
      {"configuration", model.config},
      {"training split", data.train.identity},
      {"validation split", data.val.identity},
      {"set of options or state", run::to_text(common)},
      {"set of weights", sums}};
  for (const auto& [what, own] : facts) {
    const std::vector<std::string> all = context.group->gather(own);
    for (std::size_t rank = 1; rank < all.size(); ++rank)
      if (all[rank] != all[0])
        throw Error(
            fmt::format("training by several processes: rank {} has another {} than rank 0; "
                        "expected the same files, options and program everywhere",
                        rank, what));
  }
  if (state.options.sync_bn) model.network->set_joint_statistics(context.group);
  for (Loss* loss : {model.loss.get(), model.pseudo_loss.get()})
    if (loss != nullptr) loss->join(*context.group, state.options.global_loss_norm);
  std::vector<at::Tensor> beside;
  if (model.distillation)
    for (const Distillation::Adapter& adapter : model.distillation->adapters())
      beside.push_back(adapter.weight);
  if (model.quantizers)
    for (const nn::FakeQuantizers::Range& one : model.quantizers->ranges())
      beside.push_back(one.log_scale);
  model.gradient_sums = std::make_unique<GradientSums>(*model.network, *context.group,
                                                       GradientSums::usual_bucket_bytes, beside);
}

void freeze_for_epoch(const Model& model, const run::RunState& state) {
  const auto frozen =
      model.network->freeze(model.plan->frozen(state.epoch), state.options.freeze_bn);
  if (!frozen.empty() || model.plan->changes_at(state.epoch))
    log::info(fmt::format(
        "epoch {}: {} tensors are frozen{}", state.epoch, frozen.size(),
        frozen.empty() ? "" : fmt::format(", from {} to {}", frozen.front(), frozen.back())));
}

}  // namespace yolov7::training
