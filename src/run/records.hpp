#pragma once
// What a run leaves behind besides weights: results.txt (official columns), results.csv (named
// columns), hyp.yaml and opt.yaml (training 3).
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "run/options.hpp"

namespace yolov7::run {

/// One epoch. Losses carry their gains and are not multiplied by the batch size.
struct EpochRecord {
  int epoch = 0;                       ///< from 0
  std::array<double, 4> train_loss{};  ///< box, obj, cls, total: means over the finite batches
  std::array<double, 3> val_loss{};    ///< box, obj, cls
  double distill_loss = 0;             ///< the teacher's term with its weight; part of the total
  bool validated = false;              ///< false: the validation columns repeat the last values
  double precision = 0, recall = 0, official_map50 = 0, official_map = 0;
  double coco_map50 = 0, coco_map = 0, fitness = 0;
  std::array<double, 3> rates{};    ///< learning rates of the three groups at the end of the epoch
  int targets = 0, image_size = 0;  ///< of the last batch: rows and width
  double train_seconds = 0, val_seconds = 0, data_wait_seconds = 0;
  double pictures_per_second = 0;
};

/// The 15 official columns, each right-aligned in 10 characters; P, R and both mAP are the official
/// metric.
std::string results_txt_line(const EpochRecord& record, int epochs);
std::string results_csv_header();
std::string results_csv_line(const EpochRecord& record);
/// Reads back what the two lines above wrote; Error names `source` and line.
std::vector<EpochRecord> parse_results_csv(const std::string& content, const std::string& source);

/// All records by column, in the order of results.csv.
struct NamedColumn {
  std::string name;
  std::vector<double> values;
};
std::vector<NamedColumn> result_columns(const std::vector<EpochRecord>& records);

/// Rewrites both files from the records (atomic).
void write_results(const std::filesystem::path& folder, const std::vector<EpochRecord>& records,
                   int epochs);
/// Adds one record to both.
void append_result(const std::filesystem::path& folder, const EpochRecord& record, int epochs);
/// hyp.yaml as read, opt.yaml with every option and its resolved value.
void write_configuration(const std::filesystem::path& folder, TrainOptions options,
                         Hyperparameters hyp, int processes = 1);

}  // namespace yolov7::run
