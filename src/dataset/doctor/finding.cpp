#include "dataset/doctor/finding.hpp"

#include <nlohmann/json.hpp>

namespace yolov7::dataset::doctor {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "";
}

std::string_view name_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::drop_row: return "drop row";
    case Change::Kind::replace_row: return "replace row";
    case Change::Kind::drop_image: return "drop image";
    case Change::Kind::rename_image: return "rename image";
    case Change::Kind::drop_label_file: return "drop label file";
  }
  return "";
}

nlohmann::json to_json(const Finding& finding) {
  nlohmann::json result = {{"check", finding.check}, {"severity", name_of(finding.severity)},
                           {"split", finding.split}, {"file", finding.file.string()},
                           {"text", finding.text},   {"fixes", finding.changes.size()}};
  if (finding.line > 0) result["line"] = finding.line;
  if (!finding.lines.empty()) result["lines"] = finding.lines;
  if (!finding.cause.empty()) result["cause"] = finding.cause;
  if (!finding.image.empty() && finding.image != finding.file)
    result["image"] = finding.image.string();
  return result;
}

}  // namespace yolov7::dataset::doctor
