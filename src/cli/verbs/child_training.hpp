#pragma once
// Trainings that another verb starts as processes of their own.
#include <filesystem>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

/// The options of a training that such a verb takes and hands on: without those that decide where
/// it is written, how it ends and who hears of it, and without those that the verb itself decides.
Settings child_training_settings(run::TrainOptions& train,
                                 const std::vector<std::string>& decided_by_the_verb);

/// Whether last.pt of this run folder is that of a training which came to its end: whoever started
/// it may have been killed before it took the weights. Errors: a checkpoint that cannot be read.
bool training_has_ended(const std::filesystem::path& folder);

}  // namespace yolov7::cli
