#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/interval_json.hpp"
#include "cli/verb.hpp"
#include "core/log.hpp"
#include "evaluation/bootstrap.hpp"
#include "evaluation/coco_json.hpp"
#include "evaluation/error_analysis.hpp"

namespace yolov7::cli {
namespace {

nlohmann::json to_json(const evaluation::ErrorAnalysis& a, const evaluation::CocoGroundTruth& truth, const std::vector<evaluation::CocoDetection>& found) {
  nlohmann::json types, list = nlohmann::json::array();
  for (std::size_t i = 0; i < evaluation::error_types; ++i) {
    const auto type = static_cast<evaluation::ErrorType>(i);
    types[evaluation::error_name(type)] = {{"errors", a.count(type)}, {"dap", a.dap[i]}};
  }
  for (const evaluation::DetectionError& error : a.errors) {
    nlohmann::json one{{"type", evaluation::error_name(error.type)}};
    if (error.detection >= 0) {
      const auto& d = found[static_cast<std::size_t>(error.detection)];
      one.update({{"detection", error.detection}, {"image_id", d.image}, {"category_id", d.category}, {"score", d.score}, {"bbox", {d.box.left, d.box.top, d.box.width, d.box.height}}});
    }
    if (error.annotation >= 0) {
      const auto& g = truth.annotations[static_cast<std::size_t>(error.annotation)];
      one.update({{"annotation", g.id}, {"true_category_id", g.category}});
      if (error.detection < 0) one["image_id"] = g.image;
    }
    list.push_back(std::move(one));
  }
  return {{"ap", a.ap}, {"types", types}, {"false_positives", a.false_positives}, {"false_negatives", a.false_negatives}, {"foreground", a.options.foreground}, {"background", a.options.background}, {"list", list}};
}

struct MetricsOptions {
  std::string ground_truth, detections;
  std::vector<int> limits{1, 10, 100};
  bool per_category = false, errors = false, calibration = false;
  int draws = 0, seed = 0;
  evaluation::ErrorAnalysisOptions tide;
};

Settings settings(MetricsOptions& o) {
  return Settings{"metrics", {
      setting("ground-truth", o.ground_truth, "COCO ground-truth file"),
      setting("detections", o.detections, "COCO result file"),
      setting("coco-max-dets", o.limits, "most detections per picture and category; three, the largest counts for AP").range(1, 1e6),
      setting("per-category", o.per_category, "AP of each category"),
      setting("bootstrap", o.draws, "95 % intervals of mAP50 and mAP from so many draws of the pictures, with replacement; alone: 1000").optional_value("1000").range(0, 1e6),
      setting("seed", o.seed, "of the draws").range(0, 2'147'483'647),
      setting("calibration", o.calibration, "how well scores are probabilities (IoU 0.5): precision by score, expected calibration error"),
      setting("error-analysis", o.errors, "which errors keep the AP down, in the manner of TIDE"),
      setting("tide-pos", o.tide.foreground, "error analysis: IoU from which a detection fits an object").range(0, 1),
      setting("tide-bg", o.tide.background, "error analysis: IoU up to which it fits nothing").range(0, 1),
      setting("tide-max-dets", o.tide.max_detections, "error analysis: most detections per picture, of all categories").range(1, 1e6),
  }};
}

nlohmann::json calibration_json(const evaluation::Calibration& c, Output& output) {
  output.line(fmt::format("Calibration at IoU 0.5: expected error {:.4f} over {} detections", c.expected_error, c.detections));
  output.line(fmt::format("  {:>12}{:>10}{:>12}{:>12}", "score", "number", "mean score", "precision"));
  nlohmann::json bins = nlohmann::json::array();
  for (std::size_t i = 0; i < c.bins.size(); ++i) {
    const auto& bin = c.bins[i];
    const double width = 1 / static_cast<double>(c.bins.size());
    bins.push_back({{"from", static_cast<double>(i) * width}, {"detections", bin.count}, {"mean_score", bin.confidence}, {"precision", bin.precision}});
    output.line(fmt::format("  {:>12}{:>10}{:>12.4f}{:>12.4f}", fmt::format("{:.1f} to {:.1f}", static_cast<double>(i) * width, static_cast<double>(i + 1) * width), bin.count, bin.confidence, bin.precision));
  }
  return {{"expected_error", c.expected_error}, {"detections", c.detections}, {"bins", bins}};
}

/// What goes beyond the twelve numbers.
void add_analyses(const MetricsOptions& o, const evaluation::CocoGroundTruth& truth, const std::vector<evaluation::CocoDetection>& found, const evaluation::CocoOptions& coco, nlohmann::json& json, Output& output) {
  if (o.draws > 0 || o.calibration) {
    const evaluation::CocoMatches matches = evaluation::match_coco(truth, found, coco);
    if (o.draws > 0) {
      const evaluation::HeadlineIntervals intervals = evaluation::bootstrap(matches, {o.draws, 0.95, static_cast<std::uint64_t>(o.seed), 0});
      output.line(fmt::format("95 % intervals, {} draws of the pictures: mAP50 {:.4f} ({:.4f} to {:.4f}), mAP {:.4f} ({:.4f} to {:.4f})", o.draws, intervals.map50.value, intervals.map50.low, intervals.map50.high, intervals.map.value, intervals.map.low, intervals.map.high));
      json["bootstrap"] = {{"draws", o.draws}, {"level", 0.95}, {"map50", interval_json(intervals.map50)}, {"map", interval_json(intervals.map)}};
    }
    if (o.calibration) json["calibration"] = calibration_json(evaluation::calibration(matches), output);
  }
  if (!o.errors) return;
  const evaluation::ErrorAnalysis analysis = evaluation::analyse_errors(truth, found, o.tide);
  for (const std::string& line : evaluation::error_lines(analysis)) output.line(line);
  json["errors"] = to_json(analysis, truth, found);
}

}  // namespace

nlohmann::json run_metrics(const std::vector<std::string>& arguments, Output& output) {
  MetricsOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.ground_truth.empty() || o.detections.empty()) throw usage_error("metrics: expected --ground-truth FILE and --detections FILE");
  if (o.limits.size() != 3) throw usage_error(fmt::format("metrics: --coco-max-dets: expected three numbers, found {}", o.limits.size()));
  const evaluation::CocoGroundTruth truth = evaluation::read_ground_truth(o.ground_truth);
  const std::vector<evaluation::CocoDetection> found = evaluation::read_detections(o.detections, truth);
  evaluation::CocoOptions options;
  options.max_detections = {o.limits[0], o.limits[1], o.limits[2]};
  const evaluation::CocoResult result = evaluation::evaluate_coco(truth, found, options);
  std::unordered_set<std::int64_t> known;
  for (const evaluation::CocoCategory& category : truth.categories) known.insert(category.id);
  const auto listed = [&](const evaluation::CocoDetection& d) { return known.contains(d.category); };
  const auto left_out = found.size() - static_cast<std::size_t>(std::count_if(found.begin(), found.end(), listed));
  if (left_out > 0) log::warning(fmt::format("{}: {} detections are of categories that {} does not list; they are left out", o.detections, left_out, o.ground_truth));
  for (const std::string& line : evaluation::summary_lines(result)) output.line(line);
  nlohmann::json categories = nlohmann::json::array();
  for (std::size_t k = 0; k < result.categories.size(); ++k) {
    categories.push_back({{"id", result.categories[k].id}, {"name", result.categories[k].name}, {"ap", result.ap_per_category[k]}, {"ap50", result.ap50_per_category[k]}});
    if (o.per_category) output.line(fmt::format(" {:>6} {:<24} AP {:.4f} AP50 {:.4f}", result.categories[k].id, result.categories[k].name, result.ap_per_category[k], result.ap50_per_category[k]));
  }
  nlohmann::json json{{"coco", {{"stats", result.stats}, {"map", result.stats[0]}, {"map50", result.stats[1]}, {"per_category", categories}}},
                      {"pictures", truth.images.size()}, {"annotations", truth.annotations.size()}, {"detections", found.size()}, {"detections_left_out", left_out}, {"max_detections", result.options.max_detections}};
  add_analyses(o, truth, found, options, json, output);
  return json;
}

}  // namespace yolov7::cli
