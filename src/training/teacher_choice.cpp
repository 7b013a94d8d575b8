#include "training/teacher_choice.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"

namespace yolov7::training {

void open_teacher(Model& model, const RunContext& context, run::RunState& state,
                  const std::vector<std::string>& names,
                  const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = state.options;
  if (o.distill.teacher.empty()) return;
  auto teacher = std::make_unique<Teacher>(o.distill.teacher, context.device);
  if (!state.teacher_hash.empty() && teacher->hash() != state.teacher_hash)
    throw Error(fmt::format("{} {}: expected the teacher that this run began with ({}), found {}",
                            setting_name("teacher"), o.distill.teacher, state.teacher_hash,
                            teacher->hash()));
  state.teacher_hash = teacher->hash();
  auto distillation =
      std::make_unique<Distillation>(o.distill, std::move(teacher), model.network->description(),
                                     names, static_cast<std::uint64_t>(o.seed));
  for (const std::string& line : distillation->lines()) log::info(line);
  if (!run::distils(o.distill)) {
    log::info(fmt::format("distillation: {} is 0: plain training", setting_name("distill-weight")));
    return;
  }
  if (resumed) distillation->load(resumed->model);
  const int off = run::off_epochs(o.distill, o.epochs, o.close_mosaic);
  if (off > 0)
    log::info(fmt::format("distillation: the last {} of {} epochs go without the teacher ({})", off,
                          o.epochs, setting_name("distill-off")));
  model.distillation = std::move(distillation);
}

void distill_for_epoch(const Model& model, const run::RunState& state) {
  if (!model.distillation) return;
  const run::TrainOptions& o = state.options;
  const bool on = run::distils_in(o.distill, state.epoch, o.epochs, o.close_mosaic);
  if (!on && model.distillation->active())
    log::info(fmt::format("epoch {}: from here on without the teacher", state.epoch));
  model.distillation->set_active(on);
}

}  // namespace yolov7::training
