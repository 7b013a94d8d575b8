#include "dataset/doctor/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace yolov7::dataset::doctor {
namespace {

std::map<std::string_view, std::size_t> counts_of(const std::vector<Finding>& findings) {
  std::map<std::string_view, std::size_t> counts;
  for (const Finding& finding : findings) ++counts[finding.check];
  return counts;
}

nlohmann::json causes_json(const Causes& causes) {
  nlohmann::json result = {{"layout", cause_of(causes.set_layout)},
                           {"layout_evidence", causes.set_evidence},
                           {"classes_from_1", causes.one_based},
                           {"class_evidence", causes.class_evidence}};
  std::map<std::string, std::size_t> files;
  for (const auto& [picture, verdict] : causes.files)
    ++files[verdict.named ? cause_of(verdict.layout) : "not known"];
  result["files"] = files;
  return result;
}

std::string text_of(const Finding& finding) {
  std::string place = finding.file.string();
  if (finding.line > 0) place += fmt::format(":{}", finding.line);
  const std::string cause =
      finding.cause.empty() ? std::string() : fmt::format(" [{}]", finding.cause);
  return fmt::format("{}: {}{}", place, finding.text, cause);
}

}  // namespace

std::size_t Diagnosis::count(Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.severity == severity; }));
}

Diagnosis diagnose(Subject subject, const Selection& selection, const std::stop_token& stop) {
  Diagnosis diagnosis;
  diagnosis.subject = std::move(subject);
  diagnosis.causes = find_causes(diagnosis.subject);
  diagnosis.findings = run_checks({diagnosis.subject, diagnosis.causes, stop}, selection);
  diagnosis.plain = plain_images(diagnosis.subject);
  diagnosis.assignment = assignment_of(diagnosis.subject);
  return diagnosis;
}

nlohmann::json to_json(const Diagnosis& diagnosis) {
  const auto counts = counts_of(diagnosis.findings);
  nlohmann::json checks = nlohmann::json::array(), findings = checks;
  for (const Family& family : families())
    for (const Check& check : family.checks) {
      const auto found = counts.find(check.name);
      checks.push_back({{"name", check.name},
                        {"family", family.title},
                        {"severity", name_of(check.severity)},
                        {"summary", check.summary},
                        {"findings", found == counts.end() ? 0 : found->second}});
    }
  for (const Finding& finding : diagnosis.findings) findings.push_back(to_json(finding));
  nlohmann::json result = {{"checks", std::move(checks)},
                           {"findings", std::move(findings)},
                           {"causes", causes_json(diagnosis.causes)},
                           {"plain", diagnosis.plain},
                           {"errors", diagnosis.count(Severity::error)},
                           {"warnings", diagnosis.count(Severity::warning)},
                           {"infos", diagnosis.count(Severity::info)}};
  if (diagnosis.assignment) result["assignment"] = to_json(*diagnosis.assignment);
  return result;
}

std::vector<std::string> lines_of(const Diagnosis& diagnosis, std::size_t most_findings) {
  std::vector<std::string> lines;
  const auto counts = counts_of(diagnosis.findings);
  std::string_view check;
  std::size_t shown = 0;
  for (const Finding& finding : diagnosis.findings) {
    if (finding.check != check) {
      check = finding.check;
      shown = 0;
      lines.push_back(fmt::format("{}: {} ({}): {}", name_of(finding.severity), check,
                                  counts.at(check), check_named(check).summary));
    }
    if (shown++ < most_findings)
      lines.push_back("  " + text_of(finding));
    else if (shown == most_findings + 1)
      lines.push_back(fmt::format("  and {} more", counts.at(check) - most_findings));
  }
  if (diagnosis.plain > 0)
    lines.push_back(
        fmt::format("{} images have no structure to compare: only equal pixels were looked for",
                    diagnosis.plain));
  if (diagnosis.assignment) {
    const auto more = lines_of(*diagnosis.assignment);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  lines.push_back(fmt::format("{} errors, {} warnings, {} infos", diagnosis.count(Severity::error),
                              diagnosis.count(Severity::warning), diagnosis.count(Severity::info)));
  return lines;
}

}  // namespace yolov7::dataset::doctor
