#pragma once
// 8-bit integers of an export: the calibration's images, the search within the budget, and what is
// reported of it. Shared by export and quantize.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "cli/verbs/export_files.hpp"
#include "compression/plan/quantize.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::cli {

/// Whether some of these formats get 8-bit integers by a plan; one that stores weights alone in
/// 8 bits needs none.
bool wants_integers(const exporting::ExportOptions& options,
                    const std::vector<const exporting::Format*>& chosen);
/// Error: the weights are a model file of an export, quantized or not.
void require_checkpoint(const exporting::ExportOptions& options);

/// Where table and chart of the layers go.
struct SensitivityFiles {
  std::filesystem::path table, chart;
};
SensitivityFiles sensitivity_files(const exporting::ExportOptions& options);

/// Error: the budget is smaller than what one box at one of the ten IoU thresholds counts on so
/// many labels: such data cannot show that it is kept.
void require_provable(double budget, std::size_t labels, const std::string& split);

/// Error: too few images to find ranges with. `from`: "the train split of data.yaml".
void require_calibration(std::size_t images, const std::string& from);

/// Leaves the plan in source.model. Errors: too few images, channels in the other order, a budget
/// that cannot be kept, what reading and running report.
compression::Quantized quantize_source(const exporting::ExportOptions& options,
                                       const std::vector<const exporting::Format*>& chosen,
                                       ExportSource& source, ParentModel& parent);

/// Prints; writes table and chart where layers were looked at.
nlohmann::json report_quantization(const exporting::ExportOptions& options,
                                   const compression::Quantized& quantized, const Output& output);

}  // namespace yolov7::cli
