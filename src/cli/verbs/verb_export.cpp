// yolov7 export: a trained network in the files of other programs, each read back and compared
// before it gets its name.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/verbs/checkpoint_data.hpp"
#include "cli/verbs/export_files.hpp"
#include "cli/verbs/quantization.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "equivalence/certificate.hpp"
#include "exporting/backed_weights.hpp"
#include "exporting/export_settings.hpp"
#include "exporting/format_table.hpp"
#include "exporting/serving.hpp"
#include "exporting/trtexec.hpp"
#include "exporting/write_format.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {
namespace {

using exporting::ExportOptions;
using exporting::Format;

void guard_files(const ExportOptions& options, const std::vector<const Format*>& chosen) {
  OutputGuard guard;
  guard.protect(options.weights, "--weights");
  if (!options.images.empty())
    for (const runtime::SourcePicture& one : runtime::list_pictures(options.images, "images"))
      guard.protect(one.path, "--images " + one.path.string());
  for (const Format* one : chosen) {
    const std::filesystem::path place = exporting::final_path(*one, options);
    guard.claim(place);
    guard.claim(equivalence::file_certificate_path(place));
  }
  if (!wants_integers(options, chosen)) return;
  const SensitivityFiles files = sensitivity_files(options);
  guard.claim(files.table);
  guard.claim(files.chart);
}

/// Of the table; --json, --quiet and their like are every verb's.
std::vector<std::string> given_options(const Settings& table,
                                       const std::vector<std::string>& arguments) {
  std::vector<std::string> given = given_names(table, arguments);
  std::erase_if(given, [&](const std::string& name) {
    return std::none_of(table.entries.begin(), table.entries.end(),
                        [&](const Setting& one) { return one.name == name; });
  });
  return given;
}

/// The given options as formats are asked for them: files for one image have what a batch of 1 asks
/// for, and with --max-wh --end2end asks for what --nms does.
std::vector<std::string> asked_for(std::vector<std::string> given, const ExportOptions& options) {
  if (options.batch_size == 1) std::erase(given, "batch-size");
  const auto end2end = [](const std::string& name) {
    return name == "end2end" || name == "include-nms";
  };
  if (exporting::output_form(options) == exporting::OutputForm::nms_operator &&
      std::erase_if(given, end2end) > 0 && !text::contains(given, "nms"))
    given.emplace_back("nms");
  return given;
}

struct Row {
  const Format* format;
  exporting::WrittenFormat written;
};

/// The engine's file is there, the engine is not.
std::string verdict(const Row& row) {
  return row.format->not_built.empty() ? row.written.check.verdict
                                       : row.written.check.verdict + ", not built";
}

void print(const std::vector<Row>& rows, const Output& output) {
  if (rows.empty()) return;
  std::size_t longest = 4, words = 7;
  for (const Row& row : rows) {
    longest = std::max(longest, row.written.path.string().size());
    words = std::max(words, verdict(row).size());
  }
  for (const Row& row : rows) {
    const exporting::FileCheck& check = row.written.check;
    output.line(fmt::format("{}: {}: {}", row.format->name, check.verdict, check.detail));
    if (check.speed)
      output.line(
          fmt::format("{}: loaded in {:.0f} ms, one call {:.1f} ms, {:.1f} images a second; the "
                      "weights {:.0f}, "
                      "{:.1f}, {:.1f}",
                      row.format->name, check.speed->file.load, check.speed->file.latency,
                      check.speed->file.throughput, check.speed->parent.load,
                      check.speed->parent.latency, check.speed->parent.throughput));
    if (!row.format->not_built.empty())
      output.line(fmt::format("{}: {}", row.format->name, row.format->not_built));
  }
  output.line(fmt::format("{:<16} {:<{}} {:>8} {:<{}} {}", "format", "file", longest, "MB",
                          "verdict", words, "use it with"));
  for (const Row& row : rows)
    output.line(fmt::format(
        "{:<16} {:<{}} {:>8.2f} {:<{}} {}", row.format->name, row.written.path.string(), longest,
        static_cast<double>(row.written.bytes) / 1e6, verdict(row), words, row.written.command));
}

/// Lines of trtexec for its versions, where the row is what TensorRT builds from.
std::vector<std::pair<std::string, std::string>> engine_lines(const Row& row,
                                                              const exporting::ExportModel& model,
                                                              const ExportOptions& options) {
  if (row.format->name != "engine") return {};
  return exporting::trtexec_lines(model, options, row.written.path);
}

/// Puts the files where servers look for them, and says so.
nlohmann::json serve(const std::vector<Row>& rows, const exporting::ExportModel& model,
                     const ExportOptions& options, Output& output) {
  std::vector<exporting::ExportedFile> files;
  for (const Row& row : rows) files.push_back({row.format, row.written.path});
  nlohmann::json served = nlohmann::json::array();
  std::set<std::string> said;
  for (const exporting::ServedFile& one : exporting::write_served(files, model, options)) {
    output.line(fmt::format("{}: {}: {}", one.server, one.name, one.path.string()));
    if (said.insert(one.command).second)
      output.line(fmt::format("{}: next: {}", one.server, one.command));
    served.push_back({{"server", one.server},
                      {"name", one.name},
                      {"path", one.path.string()},
                      {"command", one.command}});
  }
  return served;
}

nlohmann::json to_json(const Row& row) {
  const exporting::FileCheck& check = row.written.check;
  return {{"format", row.format->name},
          {"path", row.written.path.string()},
          {"bytes", row.written.bytes},
          {"verdict", check.verdict},
          {"verified", check.verdict + ": " + check.detail},
          {"built", row.format->not_built.empty()},
          {"command", row.written.command},
          {"certificate_file", row.written.certificate.string()},
          {"certificate", parse_json(row.written.content, "certificate")}};
}

/// An interruption ends it; where files are written already, these are what is returned, and the
/// others are named.
std::vector<Row> write_all(const ExportOptions& options, const exporting::ExportModel& model,
                           const std::vector<const Format*>& chosen,
                           const exporting::Verification* verification, Output& output,
                           std::vector<std::string>& failures) {
  std::vector<Row> rows;
  Progress progress("export", chosen.size(), "format");
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Format* format = chosen[i];
    try {
      check_stop(interrupt::token());
      rows.push_back(
          {format, exporting::write_format(*format, model, options,
                                           exporting::final_path(*format, options), verification)});
    } catch (const Error& error) {
      if (error.code() == ExitCode::interrupted && !rows.empty()) {
        std::vector<std::string> missing;
        for (std::size_t j = i; j < chosen.size(); ++j) missing.emplace_back(chosen[j]->name);
        log::error("interrupted: not written: " + text::join(missing, ", "));
        output.code = ExitCode::interrupted;
        break;
      }
      if (error.code() == ExitCode::interrupted || chosen.size() == 1) throw;
      const std::string what = error.what(), name(format->name);
      failures.push_back(what.find(name) == std::string::npos ? name + ": " + what : what);
      log::error(failures.back());
      output.code = ExitCode::failure;
    }
    progress.advance(1, std::string(format->name));
  }
  progress.finish();
  return rows;
}

/// Other formats' operations keep classes apart by themselves.
void warn_of_class_offset(const ExportOptions& options, const exporting::ExportModel& model,
                          const std::vector<const Format*>& chosen) {
  if (model.form != exporting::OutputForm::nms_operator ||
      std::none_of(chosen.begin(), chosen.end(),
                   [](const Format* one) { return exporting::honours(*one, "max-wh"); }))
    return;
  const int classes = model.network().class_count,
            offset = exporting::class_offset(options, classes, model.longer_side());
  if (const std::string note = exporting::class_offset_note(offset, classes, model.longer_side());
      !note.empty())
    log::warning(note);
  if (offset > 0 && offset < 2 * std::max(model.height, model.width))
    log::warning(
        fmt::format("--max-wh {}: boxes of neighbouring classes that reach out of the "
                    "image can suppress each other; expected at least {}",
                    offset, 2 * std::max(model.height, model.width)));
}

/// Nothing where files are not to be compared, or cannot be.
std::unique_ptr<ParentModel> parent_of(const ExportOptions& options, const ExportSource& source) {
  if (!options.no_verify && runtime::openvino_available())
    return std::make_unique<ParentModel>(source, options);
  if (!options.data.empty())
    throw usage_error("export: --data: files are compared with it, which --no-verify leaves out");
  if (!options.no_verify)
    log::warning("this build has no OpenVINO, so the files are not compared with the weights");
  return nullptr;
}

/// Large weights and one open file fit into memory together, but not with room to spare.
std::shared_ptr<const exporting::BackedWeights> backed(const exporting::ExportModel& model,
                                                       const Format& first,
                                                       const ExportOptions& options) {
  constexpr std::size_t large = 64 << 20;
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : model.fused->weights.entries()) bytes += tensor.bytes.size();
  if (bytes < large) return nullptr;
  const std::filesystem::path folder =
      std::filesystem::absolute(exporting::final_path(first, options)).parent_path();
  file::make_folder(folder);
  return std::make_shared<exporting::BackedWeights>(model.fused, folder);
}

}  // namespace

nlohmann::json export_files(const ExportOptions& options, const std::vector<std::string>& given,
                            Output& output) {
  const std::vector<const Format*> chosen = exporting::chosen_formats(options.include);
  const std::vector<std::string> notes = exporting::options_without_effect(
      chosen, asked_for(given, options),
      exporting::output_form(options) > exporting::OutputForm::decoded, options.qdq);
  exporting::check_serving(options, chosen);
  guard_files(options, chosen);
  const bool integers = wants_integers(options, chosen);
  if (integers) require_checkpoint(options);
  ExportSource source = read_source(options);
  const exporting::ExportModel& model = source.model;
  if (!options.no_verify) source.model.backed = backed(source.model, *chosen.front(), options);
  if (model.height != options.img_size.front() || model.width != options.img_size.back())
    log::warning(fmt::format("--img-size: {} x {} (height x width) is used: multiples of {}",
                             model.height, model.width, model.network().largest_stride()));
  for (const std::string& note : notes) output.line(note);
  warn_of_class_offset(options, model, chosen);
  const std::unique_ptr<ParentModel> parent = parent_of(options, source);
  std::optional<exporting::Verification> verification;
  if (parent) verification.emplace(parent->verification(true));
  if (integers && parent == nullptr)
    throw Error("this build has no OpenVINO, which calibrates 8-bit integers");
  std::optional<compression::Quantized> quantized;
  if (integers) quantized = quantize_source(options, chosen, source, *parent);
  std::vector<std::string> failures;
  const std::vector<Row> rows =
      write_all(options, model, chosen, verification ? &*verification : nullptr, output, failures);
  for (const Row& row : rows)
    for (const auto& [versions, line] : engine_lines(row, model, options))
      output.line(fmt::format("engine: TensorRT {}: {}", versions, line));
  const bool interrupted = output.code == ExitCode::interrupted;
  const nlohmann::json served =
      interrupted ? nlohmann::json::array() : serve(rows, model, options, output);
  nlohmann::json report;
  if (quantized && !rows.empty()) report = report_quantization(options, *quantized, output);
  print(rows, output);
  const auto unbuilt = [](const Row& row) { return !row.format->not_built.empty(); };
  if (!interrupted && !rows.empty() && std::all_of(rows.begin(), rows.end(), unbuilt))
    output.code = ExitCode::failure;  // nothing that was asked for is there
  nlohmann::json files = nlohmann::json::array();
  for (const Row& row : rows) {
    files.push_back(to_json(row));
    record_derived(row.written.path.string(), "export", options.weights);
  }
  nlohmann::json result = {
      {"files", files}, {"without_effect", notes}, {"failures", failures}, {"served", served}};
  if (quantized) result["int8"] = report;
  return result;
}

nlohmann::json run_export(const std::vector<std::string>& arguments, Output& output) {
  ExportOptions options;
  const Settings table = exporting::settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  if (options.weights.empty()) throw usage_error("export: expected --weights, found none");
  const std::vector<std::string> given = given_options(table, arguments);
  exporting::check_given(options, given);
  exporting::check(options);
  return export_files(options, given, output);
}

}  // namespace yolov7::cli
