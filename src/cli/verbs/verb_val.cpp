#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/terminal.hpp"
#include "cli/verbs/server_access.hpp"
#include "cli/verbs/val_options.hpp"
#include "core/file.hpp"
#include "core/file_tree.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "dataset/index/label.hpp"
#include "evaluation/report/report.hpp"
#include "monitoring/report.hpp"
#include "runtime/server/served_address.hpp"

namespace yolov7::cli {
namespace {

/// Of a file; of a model's folder, over its files in the order of their names; "" of a model that a
/// server runs, whose file nobody sees.
std::string weights_hash(const std::filesystem::path& path) {
  if (runtime::is_served_model(path.string())) return {};
  if (!std::filesystem::is_directory(path)) return file::content_hash(file::read(path));
  std::string all;
  for (const std::filesystem::path& one : file::files_of(path))
    all +=
        one.lexically_relative(path).string() + "\n" + file::content_hash(file::read(one)) + "\n";
  return file::content_hash(all);
}

/// The option set (evaluation 1.1), what is not in use left out.
std::string echo(const Settings& table) {
  std::vector<std::string> parts;
  for (const Setting& entry : table.entries)
    if (entry.has_effect()) parts.push_back(fmt::format("{}={}", entry.name, entry.text()));
  return "val: " + text::join(parts, ", ");
}

/// With --exist-ok the folder may hold what is read, labels among it; found before anything is
/// measured.
void claim_results(const ValOptions& o, const Measurement& m,
                   const evaluation::ReportOptions& report) {
  const auto folder = std::filesystem::path(o.project) / o.name;
  OutputGuard guard;
  for (const std::string& weights : o.model.weights) guard.protect(weights, "--weights");
  guard.protect(o.data, "--data");
  if (!m.annotations.empty()) guard.protect(m.annotations, "the annotations " + m.annotations);
  for (const dataset::Entry& entry : m.index.entries) {
    const std::string name = entry.picture.string();
    guard.protect(entry.picture, "the image " + name);
    guard.protect(dataset::label_path(entry.picture), "the label file of " + name);
  }
  for (const auto& file : evaluation::report_files(m.index, m.options, report))
    guard.claim(folder / file);
  guard.claim(folder / "report.html");
}

evaluation::ReportOptions report_options(const ValOptions& o, const api::OpenModel& model,
                                         const Measurement& measurement) {
  evaluation::ReportOptions report;
  report.label_files = o.save_txt || o.measuring.save_hybrid;
  report.with_confidence = o.save_conf;
  report.coco_ids = is_coco(o.data);
  report.weights = model.path;
  report.weights_hash = weights_hash(model.path);
  report.detector = model.detector->description();
  if (!measurement.annotations.empty()) report.ground_truth = measurement.annotations;
  if (o.save_json || report.coco_ids)
    report.detections_json =
        std::filesystem::path(model.path).stem().string() + "_predictions.json";
  return report;
}

}  // namespace

nlohmann::json run_val(const std::vector<std::string>& arguments, Output& output) {
  ValOptions o;
  const Settings table = settings(o);
  if (!parse_arguments(table, arguments, output)) return {};
  if (o.verbose) terminal()->set_level(log::Level::debug);
  check(o);
  for (const std::string& name : unused(o, given_names(table, arguments)))
    log::warning(fmt::format("--{} has no effect here (--task {})", name, o.task));
  take_server_access(o.model);
  set_truncated_rule(o.truncated);
  output.line(echo(table));
  if (o.task == "speed") return run_speed(o, output);
  if (o.task == "study") return run_study(o, output);
  const api::OpenModel model = api::open_detector(o.model);
  api::require_agreement(model, o.measuring.image_size, o.measuring.nms,
                         given_names(table, arguments));
  const Measurement measurement = prepare_measurement(o, o.task, model);
  const dataset::Index& index = measurement.index;
  const evaluation::ValidationOptions& options = measurement.options;
  output.line(fmt::format("{}: {} at {} px; {}; {} split, {} images, {} labels", model.path,
                          model.network.source, options.image_size, model.detector->description(),
                          o.task, index.entries.size(), index.label_count()));
  evaluation::ReportOptions report = report_options(o, model, measurement);
  if (o.exist_ok) claim_results(o, measurement, report);
  const std::string folder = make_run_folder(o.project, o.name, o.exist_ok);
  if (!report.detections_json.empty())
    report.detections_json = std::filesystem::path(folder) / report.detections_json;
  const evaluation::ValidationResult result = evaluation::evaluate(*model.detector, index, options);
  evaluation::write_report(folder, result, index, report);
  file::write_atomically(std::filesystem::path(folder) / "report.html",
                         monitoring::validation_report(folder));
  for (const std::string& line :
       evaluation::console_lines(result, index, o.verbose || index.names.size() < 50))
    output.line(line);
  output.line(fmt::format("Results in {}", folder));
  judge_finite(result, output);
  nlohmann::json json = evaluation::to_json(result, index, report);
  json["folder"] = folder;
  if (!measurement.data_account.empty())
    json["data_account"] = nlohmann::json::parse(measurement.data_account);
  return json;
}

}  // namespace yolov7::cli
