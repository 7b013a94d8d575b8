#pragma once
// What a validation leaves behind (evaluation 1.10, 1.11, 1.15, 6.3): table, JSON, CSV, curves,
// pictures, label files.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "evaluation/evaluate.hpp"

namespace yolov7::evaluation {

struct ReportOptions {
  bool label_files = false, with_confidence = false;  ///< label_files()
  std::filesystem::path detections_json;  ///< empty = none; else ground_truth.json is written too
  bool coco_ids = false;
  std::string weights, weights_hash,
      detector;                         ///< what was measured, for results.json; empty = not said
  std::string ground_truth = "labels";  ///< of the COCO metric: "labels" or an annotation file
};

/// labels/<stem>.txt for each picture of the index; where two stems are equal, all with the folders
/// below their common one (core/output_names).
std::vector<std::filesystem::path> label_files(const dataset::Index& index);

/// Everything that write_report() may write, below its folder; of them detections_json as it is.
std::vector<std::filesystem::path> report_files(const dataset::Index& index,
                                                const ValidationOptions& validation,
                                                const ReportOptions& report);

/// results.json, per_class.csv, confusion_matrix.csv and .png, PR_, P_, R_ and F1_curve.png, the
/// contact sheets that the result holds, and what the options ask for.
void write_report(const std::filesystem::path& folder, const ValidationResult& result,
                  const dataset::Index& index, const ReportOptions& options);
/// The table of the official metric and a block of COCO's, each labelled; class rows if
/// `per_class`.
std::vector<std::string> console_lines(const ValidationResult& result, const dataset::Index& index,
                                       bool per_class);
/// What results.json holds; its keys are part of the program's interface.
nlohmann::json to_json(const ValidationResult& result, const dataset::Index& index,
                       const ReportOptions& options = {});

}  // namespace yolov7::evaluation
