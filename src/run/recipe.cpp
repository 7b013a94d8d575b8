#include "run/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "run/qat_recipe.hpp"
#include "run/schedule.hpp"

namespace yolov7::run {

long steps_of(const TrainOptions& o, std::size_t pictures) {
  const auto batch = static_cast<std::size_t>(o.batch_size);
  const std::size_t batches = static_cast<std::size_t>(o.epochs) * ((pictures + batch - 1) / batch);
  return static_cast<long>(batches) / accumulation(o.batch_size, o.nbs);
}

std::string optimizer_of(const TrainOptions& o) { return o.adam ? "adam" : o.optimizer; }

UsedRates used_rates(const TrainOptions& o, const Hyperparameters& file) {
  const std::string optimizer = optimizer_of(o);
  Hyperparameters h = file;
  if (o.qat.on) h.lr0 *= qat_rate, h.warmup_bias_lr = std::min(h.warmup_bias_lr, h.lr0);
  if (!o.sgd_rates || optimizer == "sgd") return {h.lr0, h.warmup_bias_lr, h.weight_decay};
  // An update of Adam is about the rate itself, whatever the gradient. AdamW's decay per step is
  // rate times decay, so a smaller rate takes more of it.
  constexpr double rate_share = 0.1, decay_share = 20;
  const double lr0 = rate_share * h.lr0;
  return {lr0, std::min(rate_share * h.warmup_bias_lr, lr0),
          (optimizer == "adamw" ? decay_share : 1) * h.weight_decay};
}

namespace {

/// Makes `auto` definite. Whether it became AdamW, which takes SGD's rates over.
bool choose_optimizer(TrainOptions& o, bool few_steps) {
  if (o.adam || o.optimizer != "auto") return false;
  o.optimizer = few_steps ? "adamw" : "sgd";
  o.sgd_rates |= few_steps;
  return few_steps;
}

}  // namespace

std::string apply_recipe(TrainOptions& o, const std::vector<std::string>& given,
                         std::size_t pictures, int processes) {
  const auto is_given = [&](const char* name) { return text::contains(given, name); };
  if (o.recipe == "official") {
    if (!is_given("warmup-cap")) o.warmup_cap = 0;
    choose_optimizer(o, false);
    return {};
  }
  constexpr int enough_for_statistics = 4;  // what batch-norms still learn from
  const int smallest_batch = (enough_for_statistics + processes - 1) / processes * processes;
  const long before = steps_of(o, pictures);
  const int batch = o.batch_size, nbs = o.nbs;
  if (!is_given("nbs"))
    while (steps_of(o, pictures) < enough_steps && o.nbs > o.batch_size)
      o.nbs = std::max(o.nbs / 2, o.batch_size);
  const bool free_batch = !is_given("batch-size") && !is_given("nbs") && !o.autobatch;
  while (free_batch && steps_of(o, pictures) < enough_steps && o.batch_size > smallest_batch)
    o.batch_size = o.nbs = std::max(o.batch_size / 2 / processes * processes, smallest_batch);
  std::string changed;
  if (o.nbs != nbs || o.batch_size != batch)
    changed += fmt::format(
        "; a nominal batch of {} instead of {}{} makes them {}", o.nbs, nbs,
        o.batch_size != batch ? fmt::format(" and a batch of {} instead of {}", o.batch_size, batch)
                              : "",
        steps_of(o, pictures));
  if (choose_optimizer(o, before < enough_steps))
    changed +=
        fmt::format("; AdamW takes the place of SGD, with a tenth of its rates ({} sgd keeps it)",
                    setting_name("optimizer"));
  if (changed.empty()) return {};
  return fmt::format(
      "few steps: {} images and {} epochs are {} optimizer steps in the official recipe{} ({} "
      "official keeps the original's)",
      pictures, o.epochs, before, changed, setting_name("recipe"));
}

}  // namespace yolov7::run
