#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/verb.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "evaluation/analyses/analyses.hpp"
#include "evaluation/metrics/coco_json.hpp"
#include "evaluation/metrics/coco_summary.hpp"
#include "evaluation/metrics/tracking_metrics.hpp"

namespace yolov7::cli {
namespace {

struct MetricsOptions {
  std::string ground_truth, detections, out;
  std::vector<int> limits{1, 10, 100};
  double track_iou = 0.5;
  bool per_category = false;
  evaluation::AnalysisOptions analyses;
};

Settings settings(MetricsOptions& o) {
  Settings table{
      "metrics",
      group("Files and metrics",
            {
                setting("ground-truth", o.ground_truth,
                        "COCO ground-truth file, or tracks as MOTChallenge text (*.txt)")
                    .basic(),
                setting("detections", o.detections, "COCO result file, or tracks").basic(),
                setting("track-iou", o.track_iou,
                        "tracks: least overlap of an object and a prediction that go together")
                    .range(0, 1),
                setting("coco-max-dets", o.limits,
                        "most detections per image and category; three, the largest counts for AP")
                    .range(1, 1e6),
                setting("per-category", o.per_category, "AP of each category").basic(),
                setting(
                    "out", o.out,
                    "error analysis, calibration: folder for errors.json and the plots; '' = none")
                    .basic(),
            })};
  for (Setting& one : evaluation::settings(o.analyses)) {
    if (one.name != "seed" && !one.name.starts_with("tide-")) one.level = SettingLevel::basic;
    table.entries.push_back(std::move(one));
  }
  return table;
}

nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

nlohmann::json tracking(const MetricsOptions& o, Output& output) {
  const evaluation::TrackingResult r =
      evaluation::tracking_metrics(evaluation::read_tracks(o.ground_truth, true),
                                   evaluation::read_tracks(o.detections, false), o.track_iou);
  if (r.objects == 0)
    throw Error(fmt::format("{}: expected at least one object, found none", o.ground_truth));
  output.line(fmt::format("{} frames, {} objects in them, {} predictions", r.frames, r.objects,
                          r.predictions));
  output.line(
      fmt::format("MOTA {:.4f} ({} misses, {} false positives, {} switches), MOTP {:.4f} (mean 1 - "
                  "IoU of {} matches)",
                  r.mota, r.misses, r.false_positives, r.switches, r.motp, r.matches + r.switches));
  output.line(fmt::format("IDF1 {:.4f} (IDP {:.4f}, IDR {:.4f})", r.idf1, r.idp, r.idr));
  return {{"tracking",
           {{"mota", number(r.mota)},
            {"motp", number(r.motp)},
            {"idf1", number(r.idf1)},
            {"idp", number(r.idp)},
            {"idr", number(r.idr)},
            {"switches", r.switches},
            {"false_positives", r.false_positives},
            {"misses", r.misses},
            {"matches", r.matches},
            {"identity_true_positives", r.identity_true_positives},
            {"frames", r.frames},
            {"objects", r.objects},
            {"predictions", r.predictions}}}};
}

}  // namespace

nlohmann::json run_metrics(const std::vector<std::string>& arguments, Output& output) {
  MetricsOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.ground_truth.empty() || o.detections.empty())
    throw usage_error("metrics: expected --ground-truth FILE and --detections FILE");
  if (o.ground_truth.ends_with(".txt")) return tracking(o, output);
  if (o.limits.size() != 3)
    throw usage_error(
        fmt::format("metrics: --coco-max-dets: expected three numbers, found {}", o.limits.size()));
  const evaluation::CocoGroundTruth truth = evaluation::read_ground_truth(o.ground_truth);
  const std::vector<evaluation::CocoDetection> found =
      evaluation::read_detections(o.detections, truth);
  evaluation::CocoOptions options;
  options.max_detections = {o.limits[0], o.limits[1], o.limits[2]};
  const evaluation::CocoResult result = evaluation::evaluate_coco(truth, found, options);
  std::unordered_set<std::int64_t> known;
  for (const evaluation::CocoCategory& category : truth.categories) known.insert(category.id);
  const auto listed = [&](const evaluation::CocoDetection& d) {
    return known.contains(d.category);
  };
  const auto left_out =
      found.size() - static_cast<std::size_t>(std::count_if(found.begin(), found.end(), listed));
  if (left_out > 0)
    log::warning(
        fmt::format("{}: {} detections are of categories that {} does not list; they are left out",
                    o.detections, left_out, o.ground_truth));
  for (const std::string& line : evaluation::summary_lines(result)) output.line(line);
  nlohmann::json categories = nlohmann::json::array();
  for (std::size_t k = 0; k < result.categories.size(); ++k) {
    categories.push_back({{"id", result.categories[k].id},
                          {"name", result.categories[k].name},
                          {"ap", result.ap_per_category[k]},
                          {"ap50", result.ap50_per_category[k]}});
    if (o.per_category)
      output.line(fmt::format(" {:>6} {:<24} AP {:.4f} AP50 {:.4f}", result.categories[k].id,
                              result.categories[k].name, result.ap_per_category[k],
                              result.ap50_per_category[k]));
  }
  nlohmann::json json{{"coco",
                       {{"stats", result.stats},
                        {"map", result.stats[0]},
                        {"map50", result.stats[1]},
                        {"per_category", categories}}},
                      {"pictures", truth.images.size()},
                      {"annotations", truth.annotations.size()},
                      {"detections", found.size()},
                      {"detections_left_out", left_out},
                      {"max_detections", result.options.max_detections}};
  o.analyses.error_list = !o.out.empty();
  o.analyses.stop = interrupt::token();
  const evaluation::Analyses analyses = evaluation::analyse(truth, found, options, o.analyses);
  for (const std::string& line : analyses.lines()) output.line(line);
  json.update(analyses.json());
  if (o.out.empty()) return json;
  file::make_folder(o.out);
  analyses.write(o.out);
  return json;
}

}  // namespace yolov7::cli
