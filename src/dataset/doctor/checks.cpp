#include "dataset/doctor/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7::dataset::doctor {
namespace {

struct Place {
  const Check* check;
  std::size_t order;
};

const std::unordered_map<std::string_view, Place>& places() {
  static const std::unordered_map<std::string_view, Place> all = [] {
    std::unordered_map<std::string_view, Place> result;
    for (const Family& family : families())
      for (const Check& check : family.checks)
        result.emplace(check.name, Place{&check, result.size()});
    return result;
  }();
  return all;
}

}  // namespace

Finding& Findings::add(std::string_view check, const std::string& split,
                       const std::filesystem::path& file, std::string text) {
  const Check& entry = check_named(check);
  Finding& finding = list.emplace_back();
  finding.check = entry.name;
  finding.severity = entry.severity;
  finding.split = split;
  finding.file = file;
  finding.text = std::move(text);
  return finding;
}

const std::vector<Family>& families() {
  static const std::vector<Family> all = {set_family(), image_family(),   row_family(),
                                          box_family(), network_family(), balance_family(),
                                          copy_family()};
  return all;
}

std::vector<std::string> check_names() {
  std::vector<std::string> names;
  for (const Family& family : families())
    for (const Check& check : family.checks) names.emplace_back(check.name);
  return names;
}

const Check& check_named(std::string_view name) {
  const auto found = places().find(name);
  if (found != places().end()) return *found->second.check;
  const auto names = check_names();
  throw usage_error(fmt::format("expected the name of a check ({}), found '{}'{}",
                                text::join(names, ", "), name, text::did_you_mean(name, names)));
}

std::vector<Finding> run_checks(const Context& context, const Selection& selection) {
  for (const std::string& name : selection.skipped) check_named(name);
  Findings findings;
  for (const Family& family : families()) {
    check_stop(context.stop);
    family.find(context, findings);
  }
  std::erase_if(findings.list, [&](const Finding& finding) {
    return text::contains(selection.skipped, finding.check);
  });
  std::stable_sort(findings.list.begin(), findings.list.end(),
                   [](const Finding& a, const Finding& b) {
                     const auto key = [](const Finding& f) {
                       return std::tuple(-static_cast<int>(f.severity), places().at(f.check).order);
                     };
                     return key(a) < key(b);
                   });
  return std::move(findings.list);
}

std::string check_table_text() {
  std::string out = "| Check | Severity | Finds | `--fix` |\n|---|---|---|---|\n";
  for (const Family& family : families())
    for (const Check& check : family.checks)
      out += fmt::format("| `{}` | {} | {} | {} |\n", check.name, name_of(check.severity),
                         check.summary, check.fixes ? "yes" : "");
  return out;
}

}  // namespace yolov7::dataset::doctor
