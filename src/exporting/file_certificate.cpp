#include "exporting/file_certificate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/file_tree.hpp"
#include "core/json_fields.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "core/version.hpp"
#include "exporting/export_settings.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kind = "export";

/// What is no part of how a file is made, or is told elsewhere.
bool is_recorded(const Setting& entry) {
  static const std::set<std::string> left_out{"weights",   "include", "out",
                                              "device",    "images",  "data",
                                              "no-verify", "split",   "accuracy-budget"};
  return entry.has_effect() && !left_out.contains(entry.name);
}

std::string part_name(const fs::path& part, const fs::path& whole) {
  return part == whole ? whole.filename().string() : part.lexically_relative(whole).string();
}

/// Seen from the folder of `place`, so that both can move together.
std::string from(const fs::path& place, const std::string& path) {
  if (path.empty()) return {};
  std::error_code error;
  const fs::path seen = fs::relative(path, fs::absolute(place).parent_path(), error);
  return error || seen.empty() ? fs::path(path).filename().string() : seen.string();
}

json files_json(const fs::path& written, const fs::path& place, const std::stop_token& stop) {
  json files = json::array();
  for (const fs::path& part : file::files_of(written))
    files.push_back(
        {{"name", part == written ? place.filename().string() : part_name(part, written)},
         {"bytes", fs::file_size(part)},
         {"sha256", sha256_of_file(part, stop)}});
  return files;
}

json options_json(const ExportOptions& options) {
  ExportOptions copy = options;
  json all = json::object();
  for (const Setting& entry : settings(copy).entries)
    if (is_recorded(entry)) all[entry.name] = entry.text();
  return all;
}

json images_json(std::span<const equivalence::ProofPicture> pictures) {
  json all = json::array();
  for (const equivalence::ProofPicture& one : pictures)
    all.push_back({{"name", one.name},
                   {"height", one.height},
                   {"width", one.width},
                   {"sha256", sha256({reinterpret_cast<const char*>(one.pixels.data()),
                                      one.pixels.size()})}});
  return all;
}

json limits_json(equivalence::FilePrecision precision) {
  if (precision == equivalence::FilePrecision::int8) return nullptr;
  const equivalence::FileLimits limits = equivalence::file_limits(precision);
  return {{"box_px", limits.box},
          {"score", limits.score},
          {"boxes_from_score", limits.confident},
          {"iou_from_threshold", limits.overlap}};
}

json accuracy_json(const equivalence::Accuracy& a, const fs::path& place,
                   const ExportOptions& options) {
  json errors = nullptr;
  if (a.errors.rows > 0)
    errors = {{"rows", a.errors.rows}, {"box_px", a.errors.box}, {"score", a.errors.score}};
  return {{"data", from(place, options.data)},
          {"split", a.split},
          {"images", a.images},
          {"labels", a.labels},
          {"weights", {{"map50", a.parent_map50}, {"map", a.parent_map}}},
          {"file", {{"map50", a.file_map50}, {"map", a.file_map}}},
          {"map_change", {{"value", a.change}, {"low", a.low}, {"high", a.high}}},
          {"draws", a.draws},
          {"likely_rows", errors},
          {"budget", a.budget}};
}

json speed_json(const equivalence::Speed& speed) {
  return {{"load_ms", speed.load},
          {"latency_ms", speed.latency},
          {"images_per_second", speed.throughput}};
}

const Format* format_of(const std::string& name, const std::string& source) {
  for (const Format& one : formats())
    if (one.name == name) return &one;
  throw Error(fmt::format("{}: expected one of the formats {}, found '{}'", source,
                          text::join(format_names(), ", "), text::printable(name)));
}

/// Below the folder of the model, wherever a certificate comes from.
std::string name_of(const JsonFields& part, const std::string& source) {
  const std::string name = part.text("name");
  const fs::path path = fs::path(name).lexically_normal();
  if (path.empty() || path.is_absolute() || *path.begin() == "..")
    throw Error(fmt::format("{}: expected names of files below the model's folder, found '{}'",
                            source, text::printable(name)));
  return name;
}

void add_proof(json& all, const FileCheck& check, equivalence::FilePrecision precision) {
  const equivalence::FileProof& proof = *check.proof;
  const equivalence::DetectionChanges& d = proof.detections;
  all["checked_by"] = proof.file;
  all["weights_run_by"] = proof.parent;
  all["images_per_call"] = proof.slots;
  all["limits"] = limits_json(precision);
  all["differences"] = {{"rows", proof.rows},
                        {"largest_box_px", proof.largest_box},
                        {"largest_score", proof.largest_score}};
  if (proof.rows == 0) all["differences"] = nullptr;  // detections were compared
  all["detections"] = {{"conf_thres", d.conf_thres},
                       {"iou_thres", d.iou_thres},
                       {"weights", d.parent},
                       {"file", d.file},
                       {"matched", d.matched},
                       {"lost", d.lost},
                       {"new", d.added},
                       {"moved", d.moved}};
}

}  // namespace

json file_certificate(const Format& format, const ExportModel& model, const ExportOptions& options,
                      const FileCheck& check, const fs::path& written, const fs::path& place,
                      const std::stop_token& stop) {
  const equivalence::FilePrecision precision = precision_of(format, options);
  json all = {{"kind", kind},
              {"format", format.name},
              {"verdict", check.verdict},
              {"detail", check.detail},
              {"precision", equivalence::name(precision)},
              {"program", fmt::format("yolov7.cpp {}", program_version())},
              {"checked", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
              {"files", files_json(written, place, stop)},
              {"weights",
               {{"file", fs::path(options.weights).filename().string()},
                {"path", from(place, options.weights)},
                {"sha256", model.weights_sha256}}},
              {"options", options_json(options)},
              {"checked_by", check.verdict}};
  if (precision == equivalence::FilePrecision::int8) {
    if (format.read_weights != nullptr)
      all["quantization"] = {{"calibration", "none: weights alone are 8-bit numbers"}};
    else
      for (const auto& [key, value] : model.quantization_facts) all["quantization"][key] = value;
  }
  if (!options.images.empty()) all["images_from"] = from(place, options.images);
  if (check.proof) {
    add_proof(all, check, precision);
    all["images"] = images_json(check.pictures);
    if (check.proof->accuracy)
      all["accuracy"] = accuracy_json(*check.proof->accuracy, place, options);
  }
  if (check.speed)
    all["speed"] = {{"images_per_call", check.speed->images},
                    {"height", check.speed->height},
                    {"width", check.speed->width},
                    {"calls", check.speed->calls},
                    {"weights", speed_json(check.speed->parent)},
                    {"file", speed_json(check.speed->file)}};
  return all;
}

CertifiedFile read_file_certificate(const json& certificate, const std::string& source) {
  const JsonFields fields(certificate, source);
  if (const std::string found = fields.text("kind"); found != kind)
    throw Error(
        fmt::format("{}: expected the certificate of an export in the field 'kind' ('{}'), "
                    "found '{}'",
                    source, kind, text::printable(found)));
  CertifiedFile one;
  one.format = format_of(fields.text("format"), source);
  one.verdict = fields.text("verdict");
  one.date = fields.text("checked");
  const JsonFields weights = fields.object("weights");
  one.weights = weights.text("path");
  one.weights_sha256 = weights.text("sha256");
  for (const JsonFields& part : fields.objects("files"))
    one.parts.push_back({name_of(part, source), part.text("sha256")});
  if (fields.has("images_from")) one.images = fields.text("images_from");
  if (fields.has("accuracy")) {
    const JsonFields accuracy = fields.object("accuracy");
    one.data = accuracy.text("data");
    one.options.split = accuracy.text("split");
    one.options.accuracy_budget = accuracy.number("budget");
  }
  const Settings table = settings(one.options);
  const JsonFields options = fields.object("options");
  std::string yaml;
  for (const std::string& name : options.names())
    yaml += fmt::format("{}: {}\n", name, options.text(name));
  if (!yaml.empty()) assign(table, parse_yaml(yaml, source + ": options"));
  return one;
}

std::vector<std::string> changed_parts(const CertifiedFile& certified, const fs::path& file,
                                       const std::stop_token& stop) {
  std::vector<std::string> changes;
  std::set<std::string> known;
  const bool folder = fs::is_directory(file);
  for (const CertifiedFile::Part& part : certified.parts) {
    known.insert(part.name);
    const fs::path path = folder ? file / part.name : file;
    if (!fs::exists(path)) {
      changes.push_back(fmt::format("{}: it is missing", part.name));
      continue;
    }
    const std::string found = sha256_of_file(path, stop);
    if (found != part.sha256)
      changes.push_back(fmt::format("{}: SHA-256 {} in the certificate, {} found", part.name,
                                    part.sha256, found));
  }
  if (folder)
    for (const fs::path& path : file::files_of(file))
      if (!known.contains(part_name(path, file)))
        changes.push_back(fmt::format("{}: it is not in the certificate", part_name(path, file)));
  return changes;
}

}  // namespace yolov7::exporting
