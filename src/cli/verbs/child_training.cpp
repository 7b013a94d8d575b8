#include "cli/verbs/child_training.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "run/run_state.hpp"

namespace yolov7::cli {

Settings child_training_settings(run::TrainOptions& train,
                                 const std::vector<std::string>& decided_by_the_verb) {
  static const std::vector<std::string> decided{"resume",
                                                "project",
                                                "name",
                                                "exist-ok",
                                                "time",
                                                "evolve",
                                                "stop-after",
                                                "notest",
                                                "nosave",
                                                "nproc",
                                                "mlflow",
                                                "local_rank",
                                                "mlflow-experiment",
                                                "mlflow-model",
                                                "save_period",
                                                "accept-changed-data"};
  Settings table = run::settings(train);
  std::erase_if(table.entries, [&](const Setting& one) {
    return text::contains(decided, one.name) || text::contains(decided_by_the_verb, one.name) ||
           !one.has_effect();
  });
  return table;
}

bool training_has_ended(const std::filesystem::path& folder) {
  const std::filesystem::path last = folder / "weights" / "last.pt";
  if (!std::filesystem::exists(last)) return false;
  const std::string text = network::read_checkpoint(last).state;
  if (text.empty()) return false;
  const run::RunState state = run::run_state(text, last.string());
  return state.ended || state.epoch >= state.options.epochs;
}

}  // namespace yolov7::cli
