#include <fmt/format.h>

#include "core/output_names.hpp"
#include "evaluation/report/report.hpp"

namespace yolov7::evaluation {

namespace fs = std::filesystem;

std::vector<fs::path> label_files(const dataset::Index& index) {
  std::vector<fs::path> files;
  for (const dataset::Entry& entry : index.entries) files.push_back(entry.picture);
  files = result_stems(files);
  for (fs::path& file : files) file = fs::path("labels") / (file.string() + ".txt");
  return files;
}

std::vector<fs::path> report_files(const dataset::Index& index, const ValidationOptions& validation,
                                   const ReportOptions& report) {
  std::vector<fs::path> files{"results.json",         "per_class.csv", "confusion_matrix.csv",
                              "confusion_matrix.png", "PR_curve.png",  "P_curve.png",
                              "R_curve.png",          "F1_curve.png",  "worst_pictures.jpg"};
  for (int i = 0; i < validation.pictures; ++i)
    for (const char* what : {"labels", "pred"})
      files.emplace_back(fmt::format("test_batch{}_{}.jpg", i, what));
  for (const std::string& name : analysis_files(validation.analyses)) files.emplace_back(name);
  if (report.label_files)
    for (fs::path& file : label_files(index)) files.push_back(std::move(file));
  if (!report.detections_json.empty()) {
    files.push_back(report.detections_json);
    files.emplace_back("ground_truth.json");
  }
  return files;
}

}  // namespace yolov7::evaluation
