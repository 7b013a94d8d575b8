// Verifies a file of an export: hashes against its certificate, then the comparison anew.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verbs/export_files.hpp"
#include "cli/verbs/verify_checks.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/temporary_folder.hpp"
#include "equivalence/certificate.hpp"
#include "exporting/certificate_figures.hpp"
#include "exporting/file_certificate.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

struct Files {
  fs::path model, certificate;
};

/// Either of the two may be given.
Files files_of(const std::string& path) {
  Files files{path, equivalence::file_certificate_path(path)};
  if (const auto model = equivalence::certified_file(path)) files = {*model, path};
  for (const fs::path& one : {files.model, files.certificate})
    if (!fs::exists(one))
      throw Error(fmt::format("{}: expected a model file with its certificate {}, found no {}",
                              path, files.certificate.filename().string(), one.string()));
  return files;
}

bool is_there(const std::string& path) { return fs::exists(path); }

/// A pattern is no path that exists.
bool are_images(const std::string& source) {
  try {
    return !runtime::list_pictures(source, "images").empty();
  } catch (const Error&) {
    return false;
  }
}

/// What an option gives, else what the certificate says, seen from its folder, where it is `found`.
std::string place_of(const std::string& given, const fs::path& recorded, const fs::path& folder,
                     bool (*found)(const std::string&)) {
  if (!given.empty() || recorded.empty()) return given;
  const fs::path place = recorded.is_absolute() ? recorded : folder / recorded;
  const std::string path = place.lexically_normal().string();
  return found(path) ? path : std::string();
}

/// Nothing here runs the format; but the same weights and options give the same bytes.
exporting::FileCheck write_again(Checks& checks, const Files& files,
                                 const exporting::CertifiedFile& certified,
                                 const exporting::ExportModel& model,
                                 const exporting::ExportOptions& options, const fs::path& folder,
                                 const Output& output) {
  const fs::path again = folder / files.model.filename();
  certified.format->write(model, options, again);
  const auto changes = exporting::changed_parts(certified, again, interrupt::token());
  for (const std::string& change : changes)
    checks.add(output, "written again from the weights", false, change);
  if (changes.empty())
    checks.add(output, "written again from the weights", true,
               "the same bytes; structure only: nothing here reads this format");
  return exporting::check_file(*certified.format, model, options, again, nullptr, folder);
}

/// What the certificate says beside what was found now.
void compare_certificates(Checks& checks, const nlohmann::json& written,
                          const nlohmann::json& found, const exporting::SameInputs& same,
                          const Output& output) {
  const exporting::FigureComparison figures = exporting::compare_figures(written, found, same);
  for (const std::string& difference : figures.differences)
    checks.add(output, "the certificate", false, difference);
  if (figures.differences.empty())
    checks.add(output, "the certificate", true,
               fmt::format("{} figures are those found now", figures.equal));
  for (const auto& [compared, what] :
       {std::pair{same.images, "of the images"}, std::pair{same.data, "of accuracy"}})
    if (!compared)
      output.line(fmt::format(
          "note: the certificate's figures {} are not compared: others were used", what));
}

/// The weights beside the file, as when it was written.
void compare_again(Checks& checks, const Files& files, const exporting::CertifiedFile& certified,
                   const nlohmann::json& certificate, const exporting::ExportOptions& options,
                   const exporting::SameInputs& same, const Output& output) {
  const ExportSource source = read_source(options);
  const exporting::ExportModel& model = source.model;
  const TemporaryFolder folder("yolov7-verify");
  const auto compare_with = [&](const exporting::FileCheck& check) {
    compare_certificates(checks, certificate,
                         exporting::file_certificate(*certified.format, model, options, check,
                                                     files.model, files.model, interrupt::token()),
                         same, output);
  };
  if (!certified.format->readable) {
    const exporting::FileCheck rewritten =
        write_again(checks, files, certified, model, options, folder.path(), output);
    if (!options.int8 || certified.format->read_weights == nullptr) {
      compare_with(rewritten);
      return;
    }
    ParentModel parent(source, options);  // the weights of the file in the network that they are of
    const exporting::Verification with = parent.verification(false);
    compare_with(exporting::check_file(*certified.format, model, options, files.model, &with,
                                       folder.path()));
    return;
  }
  ParentModel parent(source, options);
  const exporting::Verification with = parent.verification(true);
  const exporting::FileCheck check =
      exporting::check_file(*certified.format, model, options, files.model, &with, folder.path());
  const std::string what = fmt::format("the file against {}", options.weights);
  if (!check.breach.empty()) {
    checks.add(output, what, false, check.breach);
    return;
  }
  checks.add(output, what, true, fmt::format("{}: {}", check.verdict, check.detail));
  compare_with(check);
  if (check.speed)
    output.line(fmt::format("note: one call {:.1f} ms, the weights {:.1f} ms",
                            check.speed->file.latency, check.speed->parent.latency));
}

/// Whether images and data are those of the certificate.
exporting::SameInputs same_inputs(const VerifyOptions& given,
                                  const exporting::CertifiedFile& certified,
                                  const exporting::ExportOptions& options) {
  return {given.images.empty() && options.images.empty() == certified.images.empty(),
          given.data.empty() && options.data.empty() == certified.data.empty()};
}

exporting::ExportOptions options_of(const VerifyOptions& given,
                                    const exporting::CertifiedFile& certified, const Files& files,
                                    const Output& output) {
  const fs::path folder = fs::absolute(files.certificate).parent_path();
  exporting::ExportOptions options = certified.options;
  options.include = {std::string(certified.format->name)};
  options.weights = place_of(given.parent, certified.weights, folder, is_there);
  if (options.weights.empty())
    throw Error(fmt::format(
        "{}: expected the weights that it was written from ({}), found none there; give "
        "--parent FILE, or --hashes-alone",
        files.model.string(), certified.weights.string()));
  options.images = place_of(given.images, certified.images, folder, are_images);
  options.data = place_of(given.data, certified.data, folder, is_there);
  if (options.images.empty() && !certified.images.empty())
    output.line(fmt::format("note: the images {} are not there: noise alone is compared",
                            certified.images.string()));
  if (options.data.empty() && !certified.data.empty())
    output.line(fmt::format("note: the data {} is not there: the mAP is not measured again",
                            certified.data.string()));
  return options;
}

}  // namespace

bool is_exported(const std::string& path) {
  return runtime::is_model_file(path) || fs::exists(equivalence::file_certificate_path(path)) ||
         equivalence::certified_file(path).has_value();
}

nlohmann::json verify_exported(const VerifyOptions& given, Output& output) {
  const Files files = files_of(given.weights);
  const std::string source = files.certificate.string();
  const nlohmann::json certificate = read_json(files.certificate);
  const exporting::CertifiedFile certified = exporting::read_file_certificate(certificate, source);
  Checks checks;
  const auto changes = exporting::changed_parts(certified, files.model, interrupt::token());
  for (const std::string& change : changes) checks.add(output, "the file", false, change);
  if (changes.empty())
    checks.add(output, "the file", true,
               fmt::format("{} file{} with the SHA-256 of the certificate", certified.parts.size(),
                           certified.parts.size() == 1 ? "" : "s"));
  // A file that was changed is not run.
  if (changes.empty() && !given.hashes_alone) {
    const exporting::ExportOptions options = options_of(given, certified, files, output);
    const std::string found = sha256_of_file(options.weights, interrupt::token());
    const bool same = certified.weights_sha256.empty() || found == certified.weights_sha256;
    checks.add(output, "the weights", same,
               same ? options.weights
                    : fmt::format("{}: SHA-256 {} in the certificate, {} found", options.weights,
                                  certified.weights_sha256, found));
    if (same)
      compare_again(checks, files, certified, certificate, options,
                    same_inputs(given, certified, options), output);
  }
  if (!checks.passed) output.code = ExitCode::failure;
  output.line(fmt::format("{}: {} on {} ({})", files.model.string(),
                          checks.passed ? "as certified" : "NOT as certified", certified.date,
                          certified.verdict));
  return {{"weights", given.weights}, {"verified", checks.passed}, {"checks", checks.json()}};
}

}  // namespace yolov7::cli
