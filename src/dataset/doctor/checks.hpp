#pragma once
// The one table of checks: terminal, help, report, JSON and docs follow it. A family is one file
// and looks for all of its checks at once.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/doctor/causes.hpp"
#include "dataset/doctor/finding.hpp"
#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

struct Context {
  const Subject& subject;
  const Causes& causes;
  std::stop_token stop = {};
};

/// Takes findings. Severity and name come from the table.
class Findings {
 public:
  /// Starts a finding of the check of this name.
  Finding& add(std::string_view check, const std::string& split, const std::filesystem::path& file,
               std::string text);
  std::vector<Finding> list;
};

struct Family {
  std::string_view title;
  std::vector<Check> checks;
  void (*find)(const Context&, Findings&);
};

const std::vector<Family>& families();
/// Error (usage): there is none of this name, with the nearest one.
const Check& check_named(std::string_view name);
std::vector<std::string> check_names();

struct Selection {
  std::vector<std::string> skipped;  ///< names of checks
};

/// All findings: errors first, then by the order of the table; those of one check stand as its
/// family finds them. Error: as check_named().
std::vector<Finding> run_checks(const Context& context, const Selection& selection);

/// Images without structure, of which only equal bytes and equal pixels are found.
std::size_t plain_images(const Subject& subject);

/// The table of checks as Markdown, one row a check: what docs/data-check.md holds.
std::string check_table_text();

// The families, one file each.
Family set_family();
Family image_family();
Family row_family();
Family box_family();
Family network_family();
Family balance_family();
Family copy_family();

}  // namespace yolov7::dataset::doctor
