#include "cli/verbs/child_training.hpp"

#include <algorithm>

#include "core/text.hpp"

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

}  // namespace yolov7::cli
