#include "training/rollback.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "training/checkpoints.hpp"

namespace yolov7::training {

void roll_back(const RunContext& context, const Model& model, run::RunState& state) {
  const auto path = context.folder / "weights" / "last.pt";
  const std::string what = fmt::format("{} batches in a row were not finite", state.skipped_in_row);
  const std::string advice =
      fmt::format("lower lr0, or train with {} float32", setting_name("precision"));
  if (state.options.nosave)
    throw Error(fmt::format("{}, and {} left nothing to go back to: {}", what,
                            setting_name("nosave"), advice));
  if (++state.rollbacks > most_rollbacks)
    throw Error(
        fmt::format("{}, after {} times of going back to the last good state: {}; last.pt holds it",
                    what, most_rollbacks, advice));
  const network::Checkpoint good = read_last(context);
  model.network->load(good.model);
  if (model.distillation) model.distillation->load(good.model);
  if (model.quantizers) model.quantizers->load(good.model);
  model.ema->load(good.ema, run::run_state(good.state, path.string()).ema_updates);
  model.optimizer->load(good.optimizer);
  state.skipped_in_row = 0;
  log::warning(fmt::format(
      "{}: back to the weights of {} ({} of at most {} times); the data go on from here", what,
      path.string(), state.rollbacks, most_rollbacks));
}

}  // namespace yolov7::training
