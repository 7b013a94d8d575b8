#include "training/changed_data.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"

namespace yolov7::training {

void begin_epoch_anew(run::RunState& state) {
  state.batch = 0;
  state.loss_sum = {};
  state.distill_sum = 0;
  state.last_batch = {};
  state.unlabelled_sums = {};
  state.skipped_in_epoch = 0;
  state.epoch_sums = {};
}

void accept_change(run::RunState& state, const std::string& complaint, const std::string& warning) {
  if (!state.options.accept_changed_data)
    throw Error(fmt::format("{} ({} continues all the same)", complaint,
                            setting_name("accept-changed-data")));
  log::warning(warning);
  begin_epoch_anew(state);
}

}  // namespace yolov7::training
