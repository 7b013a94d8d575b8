#pragma once
// What `yolov7 compress` can be asked for: its own options, and those of prune, train and quantize
// under their names.
#include <string>
#include <vector>

#include "api/pruning.hpp"
#include "core/settings.hpp"
#include "exporting/export_options.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

struct CompressOptions {
  CompressOptions() {
    train.epochs = 0;
    train.data.clear();
    quantize.include = {"openvino"};
  }

  std::string weights, data, out, split = "val";
  double accuracy_budget = 0.01;  ///< mAP that the chosen model may lose
  std::vector<std::string> stages{"prune", "distil", "quantize"};
  std::vector<std::string> target_time;  ///< networks to try; both empty = "-35%"
  std::vector<double> ratio;
  double epochs_share = 0.3;       ///< of train.epochs, for each pruned network
  int draws = 1000, img_size = 0;  ///< 0 = the checkpoint's
  api::PruneOptions prune;         ///< importance, round, least-share, precision, threads, seconds
  run::TrainOptions train;         ///< what child_training_settings() hands on
  exporting::ExportOptions quantize;  ///< include, numbers

  bool has(const std::string& stage) const;
};

/// The whole table.
Settings settings(CompressOptions& options);
/// Parts of it that belong to the verbs which compress starts.
Settings training_settings(CompressOptions& options);
Settings quantizing_settings(CompressOptions& options);
Settings pruning_settings(CompressOptions& options);

/// Takes stages apart at commas, fills what was not given, makes paths absolute. Error (usage): no
/// --weights, --data or --out; stages that do not exist or do not go together; options of a stage
/// that is left out, and of a training that would refuse them; formats of which none can be
/// measured here; `given`: names of the options on the command line.
void complete(CompressOptions& options, const std::vector<std::string>& given);

}  // namespace yolov7::cli
