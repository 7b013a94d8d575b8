#include "equivalence/certificate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/version.hpp"
#include "network/transform/reparameterize.hpp"

namespace yolov7::equivalence {
namespace {

constexpr std::size_t samples = 64;  // of each map, evenly spread

nlohmann::json difference_json(const equivalence::Difference& d) {
  return {{"largest", d.largest}, {"mean", d.mean}, {"largest_value", d.scale}};
}

nlohmann::json model_json(const CertifiedModel& model) {
  return {{"file", std::filesystem::path(model.file).filename().string()},
          {"tensors_xxh3_128", network::tensors_hash(model.weights)},
          {"tensors", model.weights.size()},
          {"layers", model.network.layers.size()},
          {"head", network::name(model.network.head)},
          {"parameters", model.network.parameter_count()},
          {"precision", model.precision}};
}

nlohmann::json boxes_json(const std::vector<equivalence::BoxMatch>& boxes) {
  nlohmann::json rows = nlohmann::json::array();
  for (const equivalence::BoxMatch& one : boxes)
    rows.push_back({{"parent", one.reference},
                    {"child", one.candidate},
                    {"matched", one.matched},
                    {"least_iou", one.least_iou},
                    {"largest_score_difference", one.largest_score}});
  return rows;
}

nlohmann::json map_fingerprint(const std::vector<double>& values) {
  double sum = 0, magnitude = 0, largest = 0;
  for (const double v : values)
    sum += v, magnitude += std::abs(v), largest = std::max(largest, std::abs(v));
  nlohmann::json picked = nlohmann::json::array();
  const std::size_t step = std::max<std::size_t>(values.size() / samples, 1);
  for (std::size_t i = 0; i < values.size(); i += step) picked.push_back({i, values[i]});
  const auto count = static_cast<double>(std::max<std::size_t>(values.size(), 1));
  return {{"elements", values.size()},
          {"mean", sum / count},
          {"mean_magnitude", magnitude / count},
          {"largest", largest},
          {"samples", picked}};
}

/// Largest difference over the map's largest value, of the means and the samples.
double map_difference(const nlohmann::json& expected, const nlohmann::json& found) {
  if (expected.at("elements") != found.at("elements") ||
      expected.at("samples").size() != found.at("samples").size())
    throw Error(fmt::format("the certificate describes a map of {} values, found one of {}",
                            expected.at("elements").get<std::size_t>(),
                            found.at("elements").get<std::size_t>()));
  double gap = 0;
  const auto take = [&](const nlohmann::json& a, const nlohmann::json& b) {
    const double one = std::abs(a.get<double>() - b.get<double>());
    gap = std::isfinite(one) ? std::max(gap, one) : INFINITY;
  };
  for (const char* key : {"mean", "mean_magnitude", "largest"})
    take(expected.at(key), found.at(key));
  for (std::size_t i = 0; i < expected.at("samples").size(); ++i)
    take(expected.at("samples")[i].at(1), found.at("samples")[i].at(1));
  const double scale = expected.at("largest").get<double>();
  return scale > 0 ? gap / scale : gap;
}

nlohmann::json fingerprints_json(std::span<const equivalence::Outputs> outputs) {
  nlohmann::json rows = nlohmann::json::array();
  for (const equivalence::Outputs& one : outputs) {
    nlohmann::json raw = nlohmann::json::array();
    for (const auto& map : one.raw) raw.push_back(map_fingerprint(map));
    rows.push_back({{"raw", raw}, {"decoded", map_fingerprint(one.decoded)}});
  }
  return rows;
}

}  // namespace

nlohmann::json comparison_json(const equivalence::Comparison& comparison) {
  nlohmann::json raw = nlohmann::json::array();
  for (const equivalence::Difference& level : comparison.raw) raw.push_back(difference_json(level));
  return {{"raw", raw}, {"decoded", difference_json(comparison.decoded)}};
}

nlohmann::json make_certificate(const CertificateRequest& r) {
  nlohmann::json pictures = nlohmann::json::array();
  for (const equivalence::ProofPicture& p : r.pictures) {
    const std::string_view bytes(reinterpret_cast<const char*>(p.pixels.data()), p.pixels.size());
    pictures.push_back({{"name", p.name},
                        {"height", p.height},
                        {"width", p.width},
                        {"pixels_xxh3_128", file::content_hash(bytes)}});
  }
  nlohmann::json result = {
      {"kind", r.kind},
      {"program", fmt::format("yolov7.cpp {}", program_version())},
      {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
      {"parent", model_json(r.parent)},
      {"child", model_json(r.child)},
      {"pictures", pictures},
      {"tolerance", equivalence::exact_tolerance},
      {"float64", comparison_json(r.proof.exact)},
      {"float64_with_stored_weights", comparison_json(r.proof.stored)},
      {"fingerprint",
       {{"image_size", r.fingerprint_size}, {"outputs", fingerprints_json(r.fingerprints)}}}};
  if (!r.proof.backend.empty())
    result["backend"] = {{"description", r.proof.backend},
                         {"parent", comparison_json(r.proof.parent_backend)},
                         {"child", comparison_json(r.proof.child_backend)},
                         {"boxes", boxes_json(r.proof.boxes)},
                         {"parent_ms", r.proof.parent_ms},
                         {"child_ms", r.proof.child_ms}};
  return result;
}

double fingerprint_difference(const nlohmann::json& fingerprints,
                              std::span<const equivalence::Outputs> outputs) {
  const nlohmann::json found = fingerprints_json(outputs);
  if (fingerprints.size() != found.size())
    throw Error(fmt::format("the certificate describes {} images, found {}", fingerprints.size(),
                            found.size()));
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (fingerprints[i].at("raw").size() != found[i].at("raw").size())
      throw Error("the certificate describes another number of levels");
    for (std::size_t level = 0; level < found[i].at("raw").size(); ++level)
      largest = std::max(
          largest, map_difference(fingerprints[i].at("raw")[level], found[i].at("raw")[level]));
    largest =
        std::max(largest, map_difference(fingerprints[i].at("decoded"), found[i].at("decoded")));
  }
  return largest;
}

std::string certificate_path(const std::string& model) {
  std::filesystem::path path(model);
  return path.replace_extension(".certificate.json").string();
}

namespace {
constexpr std::string_view certificate_suffix = ".certificate.json";
}

std::filesystem::path file_certificate_path(const std::filesystem::path& file) {
  // A folder may be given with a slash at its end.
  const std::filesystem::path whole = file.has_filename() ? file : file.parent_path();
  return whole.string() + std::string(certificate_suffix);
}

std::optional<std::filesystem::path> certified_file(const std::filesystem::path& certificate) {
  const std::string name = certificate.string();
  if (!name.ends_with(certificate_suffix)) return std::nullopt;
  return name.substr(0, name.size() - certificate_suffix.size());
}

}  // namespace yolov7::equivalence
