#include "exporting/certificate_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/text.hpp"

namespace yolov7::exporting {
namespace {

using nlohmann::json;
using Figures = std::map<std::string, json>;  // by "detections.lost"

/// How far apart two numbers may be; nothing: they have to be equal.
struct Tolerance {
  double most = 0;
  double factor = 1;  ///< of the larger to the smaller; within it `most` does not matter
  std::string reason;
};

constexpr const char* rounding =
    "they are rounding, which another processor or number of threads changes";
constexpr const char* integers = "another processor rounds to other integers now and then";
constexpr const char* threshold = "rounding decides about a score that stands at a threshold";

void add(Figures& figures, const std::string& name, const json& value) {
  if (value.is_object())
    for (const auto& [key, one] : value.items()) add(figures, name + "." + key, one);
  else if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i)
      add(figures, fmt::format("{}[{}]", name, i), value[i]);
  else
    figures[name] = value;
}

Figures figures_of(const json& certificate, bool compared, const SameInputs& same) {
  std::vector<std::string> sections{"format", "precision", "files"};
  if (compared) sections.emplace_back("limits");
  // Of 8-bit integers the verdict is about the accuracy.
  if (compared && (same.data || certificate.value("precision", json()) != json("int8")))
    sections.emplace_back("verdict");
  if (compared && same.images)
    sections.insert(sections.end(), {"images", "differences", "detections"});
  if (compared && same.data) sections.emplace_back("accuracy");
  Figures all;
  for (const std::string& name : sections)
    if (const auto found = certificate.find(name); found != certificate.end())
      add(all, name, *found);
  all.erase("accuracy.data");  // a place
  return all;
}

double number_of(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found != figures.end() && found->second.is_number() ? found->second.get<double>() : 0;
}

/// One, or one in a hundred of `all`.
Tolerance counted(double all) { return {std::max(1.0, std::floor(all / 100)), 1, threshold}; }

std::optional<Tolerance> tolerance_of(const std::string& name, const Figures& found) {
  if (name == "differences.largest_box_px")
    return Tolerance{number_of(found, "limits.box_px") / 100, 4, rounding};
  if (name == "differences.largest_score")
    return Tolerance{number_of(found, "limits.score") / 100, 4, rounding};
  for (const char* count : {"weights", "file", "matched", "lost", "new", "moved"})
    if (name == fmt::format("detections.{}", count))
      return counted(number_of(found, "detections.weights"));
  if (name == "accuracy.likely_rows.rows") return counted(number_of(found, name));
  if (name == "accuracy.likely_rows.box_px") return Tolerance{1e-3, 1.1, integers};
  if (name == "accuracy.likely_rows.score") return Tolerance{1e-5, 1.1, integers};
  if (name == "accuracy.map_change.low" || name == "accuracy.map_change.high")
    return Tolerance{2e-3, 1, threshold};
  if (name.starts_with("accuracy.") && name.find("map") != std::string::npos)
    return Tolerance{5e-4, 1, threshold};
  return std::nullopt;
}

bool within(double a, double b, const Tolerance& tolerance) {
  const double larger = std::max(std::abs(a), std::abs(b)),
               smaller = std::min(std::abs(a), std::abs(b));
  return std::abs(a - b) <= tolerance.most * (1 + 1e-9) ||
         (tolerance.factor > 1 && larger <= tolerance.factor * smaller);
}

std::string shown(const json& value) {
  if (value.is_string()) return text::printable(value.get<std::string>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return text::printable(value.dump());
}

/// "" where the two agree.
std::string difference(const std::string& name, const json& written, const json& found,
                       const Figures& all) {
  if (!written.is_number() || !found.is_number())
    return written == found ? std::string()
                            : fmt::format("{}: {} in the certificate, {} found", name,
                                          shown(written), shown(found));
  const double a = written.get<double>(), b = found.get<double>();
  const auto tolerance = tolerance_of(name, all);
  if (tolerance ? within(a, b, *tolerance) : a == b) return {};
  std::string line =
      fmt::format("{}: {} in the certificate, {} found", name, shown(written), shown(found));
  if (!tolerance) return line;
  const std::string factor =
      tolerance->factor > 1 ? fmt::format("within {:g} times each other, or ", tolerance->factor)
                            : std::string();
  return line + fmt::format("; expected {}at most {:g} apart, because {}", factor, tolerance->most,
                            tolerance->reason);
}

}  // namespace

FigureComparison compare_figures(const json& written, const json& found, const SameInputs& same) {
  const bool compared = written.value("verdict", json()) != json("not compared");
  const Figures before = figures_of(written, compared, same),
                now = figures_of(found, compared, same);
  FigureComparison result;
  for (const auto& [name, value] : before) {
    const auto other = now.find(name);
    const std::string line =
        other == now.end()
            ? fmt::format("{}: {} in the certificate, no such field found", name, shown(value))
            : difference(name, value, other->second, now);
    if (line.empty())
      ++result.equal;
    else
      result.differences.push_back(line);
  }
  for (const auto& [name, value] : now)
    if (!before.contains(name))
      result.differences.push_back(
          fmt::format("{}: no such field in the certificate, {} found", name, shown(value)));
  return result;
}

}  // namespace yolov7::exporting
