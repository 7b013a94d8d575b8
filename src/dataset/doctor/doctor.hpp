#pragma once
// Looks a data set over (data-services D): reads it, finds causes, runs the checks.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/doctor/assignment.hpp"
#include "dataset/doctor/checks.hpp"

namespace yolov7::dataset::doctor {

struct Diagnosis {
  Subject subject;
  Causes causes;  ///< refers to pictures of the subject: moved, never copied
  std::vector<Finding> findings;
  std::size_t plain = 0;  ///< images without structure: no near copies of them were looked for
  std::optional<Assignment> assignment;

  Diagnosis() = default;
  Diagnosis(Diagnosis&&) = default;
  Diagnosis& operator=(Diagnosis&&) = default;

  std::size_t count(Severity severity) const;
};

/// Of a subject that was read; its network is set by then where there is one.
Diagnosis diagnose(Subject subject, const Selection& selection, const std::stop_token& stop = {});

/// {checks: [{name, severity, summary, findings}], findings: […], causes: {…}, plain,
/// assignment: {…}}.
nlohmann::json to_json(const Diagnosis& diagnosis);
/// One line for each check that found something, with its first findings; then what was
/// not compared, and the assignment.
std::vector<std::string> lines_of(const Diagnosis& diagnosis, std::size_t most_findings);

}  // namespace yolov7::dataset::doctor
