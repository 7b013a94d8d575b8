#pragma once
// The steps of a loop around what people do: the choice of images before it, the training and its
// evaluation behind it. Each leaves its files in the folder of the round.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verbs/active_choice.hpp"
#include "cli/verbs/active_loop_options.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

struct LoopVerbOptions : ChoiceOptions {
  LoopStart start;
  loop::PullRound pull;
  std::string weights, source;
  std::string retrain = "last";         ///< which weights a training begins with: last or start
  std::string new_classes = "teacher";  ///< what a training does where people added a class
  std::string split = "auto";           ///< which is evaluated
  versions::OnConflict on_conflict = versions::OnConflict::fail;
  int rounds = 1, wait = 0;
  run::TrainOptions train;
  std::vector<std::string> given;  ///< names of the options of this call and of those before it
};

Settings settings(LoopVerbOptions& options);
/// The options of the training that go to `yolov7 train` under their names.
Settings loop_training_settings(LoopVerbOptions& options);

/// Chooses from what no round has had yet. The account has "images": 0 where none is left. Errors:
/// those of `active select`.
nlohmann::json select_round(loop::State& state, int round, LoopVerbOptions& options,
                            const Output& output);
/// Name of the model that makes the suggestions of the next round: its file and 12 digits of its
/// SHA-256.
std::string model_name(const loop::State& state, const LoopVerbOptions& options);
/// Errors: the training fails, with its log; stopped_error(), the training being resumable then.
nlohmann::json train_round(loop::State& state, int round, LoopVerbOptions& options);
nlohmann::json evaluate_round(loop::State& state, int round, const LoopVerbOptions& options);
/// The split that is evaluated in every round. Error: the labelled set has no such images.
std::string evaluated_split(const loop::State& state, const std::string& wanted);

}  // namespace yolov7::cli
