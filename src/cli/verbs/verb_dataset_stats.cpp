// yolov7 dataset stats --data data.yaml [--other data.yaml]
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/network_rule.hpp"
#include "core/allocation.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "dataset/doctor/advice.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/doctor/statistics.hpp"
#include "dataset/formats/output_folder.hpp"
#include "monitoring/stats_report.hpp"

namespace yolov7::cli {
namespace {

namespace doctor = dataset::doctor;

struct StatsOptions {
  std::string data, other, out;
  NetworkRuleOptions network;
};

Settings settings(StatsOptions& o) {
  const std::vector<Setting> stats = {
      setting("data", o.data, "data.yaml, or annotations of any format").positional().basic(),
      setting("other", o.other,
              "a second data.yaml, shown beside the first; the advice is about the first")
          .basic(),
      setting("out", o.out, "new or empty folder for stats.html and stats.json").basic()};
  return {"dataset stats", joined({stats, settings(o.network)})};
}

doctor::Subject subject_of(const std::string& data, const std::string& out,
                           const doctor::NetworkRule& rule) {
  doctor::SubjectOptions reading;
  reading.sketches = false;
  reading.stop = interrupt::token();
  doctor::Subject subject = doctor::read_subject(data, reading);
  if (!out.empty()) dataset::require_outside(out, subject.description);
  subject.network = rule;
  return subject;
}

}  // namespace

nlohmann::json run_dataset_stats(const std::vector<std::string>& arguments, Output& output) {
  StatsOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.data.empty())
    throw usage_error("dataset stats: expected --data with a data.yaml or annotations, found none");
  if (!options.out.empty()) dataset::require_empty(options.out);
  keep_freed_memory();
  const doctor::NetworkRule rule = network_rule(options.network);
  doctor::Subject subject = subject_of(options.data, options.out, rule);
  fit_anchors(subject, interrupt::token());
  doctor::Statistics statistics = doctor::statistics_of(subject, rule.image_size);
  const auto advice = doctor::advice_on(subject);
  if (!options.other.empty())
    statistics = doctor::side_by_side(
        statistics, "A",
        doctor::statistics_of(subject_of(options.other, options.out, rule), rule.image_size), "B");
  for (const std::string& line : doctor::lines_of(statistics)) output.line(line);
  for (const auto& one : advice) output.line(fmt::format("{}: {}", one.topic, one.text));
  nlohmann::json result = to_json(statistics);
  result["data"] =
      options.other.empty() ? options.data : options.data + " (A), " + options.other + " (B)";
  result["advice"] = to_json(advice);
  if (!options.out.empty()) {
    dataset::build_folder(options.out, [&](const std::filesystem::path& folder) {
      file::write_atomically(folder / "stats.json", json_text(result, 1) + "\n");
      file::write_atomically(folder / "stats.html", monitoring::stats_report(result));
    });
    output.line(
        fmt::format("written: {}", (std::filesystem::path(options.out) / "stats.html").string()));
  }
  return result;
}

}  // namespace yolov7::cli
