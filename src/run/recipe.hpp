#pragma once
// What a run does when its data are few: more optimizer steps from the same pictures.
#include <cstddef>
#include <string>
#include <vector>

#include "run/options.hpp"

namespace yolov7::run {

/// Below this many optimizer steps a run is short of steps, not of pictures (docs/small-data.md has
/// the measurements).
inline constexpr int enough_steps = 2500;

/// Optimizer steps of a whole run, warm-up aside: epochs · ⌈pictures / batch⌉ / max(round(nbs /
/// batch), 1), rounded down.
long steps_of(const TrainOptions& options, std::size_t pictures);

/// sgd, adam or adamw; auto until apply_recipe. `--adam` is an old name, and runs of before hold it
/// beside `optimizer`.
std::string optimizer_of(const TrainOptions& options);

/// What the optimizer and the schedule take of a hyper-parameter file; a tenth of its rates with
/// --qat.
struct UsedRates {
  double lr0 = 0, warmup_bias_lr = 0, weight_decay = 0;
};
UsedRates used_rates(const TrainOptions& options, const Hyperparameters& hyp);

/// `--recipe auto`: where the official settings give fewer than `enough_steps`, the nominal batch
/// is halved down to the batch, then both down to 4, until there are enough, and `--optimizer auto`
/// becomes AdamW with `--sgd-rates` (else SGD); options on the command line
/// (`given`) are kept. `--recipe official`: warm-up without a cap, SGD. Returns what was changed,
/// for people; "" = nothing. `processes`: the batch stays a multiple of it.
std::string apply_recipe(TrainOptions& options, const std::vector<std::string>& given,
                         std::size_t pictures, int processes = 1);

}  // namespace yolov7::run
