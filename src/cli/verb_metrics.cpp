#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/log.hpp"
#include "evaluation/coco_json.hpp"

namespace yolov7::cli {

nlohmann::json run_metrics(const std::vector<std::string>& arguments, Output& output) {
  std::string ground_truth, detections;
  std::vector<int> limits{1, 10, 100};
  bool per_category = false;
  const Settings table{"metrics", {
      setting("ground-truth", ground_truth, "COCO ground-truth file"),
      setting("detections", detections, "COCO result file"),
      setting("coco-max-dets", limits, "most detections per picture and category; three, the largest counts for AP").range(1, 1e6),
      setting("per-category", per_category, "AP of each category"),
  }};
  if (!parse_arguments(table, arguments, output)) return {};
  if (ground_truth.empty() || detections.empty()) throw usage_error("metrics: expected --ground-truth FILE and --detections FILE");
  if (limits.size() != 3) throw usage_error(fmt::format("metrics: --coco-max-dets: expected three numbers, found {}", limits.size()));
  const evaluation::CocoGroundTruth truth = evaluation::read_ground_truth(ground_truth);
  const std::vector<evaluation::CocoDetection> found = evaluation::read_detections(detections, truth);
  evaluation::CocoOptions options;
  options.max_detections = {limits[0], limits[1], limits[2]};
  const evaluation::CocoResult result = evaluation::evaluate_coco(truth, found, options);
  const auto listed = [&](const evaluation::CocoDetection& d) {
    return std::any_of(truth.categories.begin(), truth.categories.end(), [&](const auto& c) { return c.id == d.category; });
  };
  const auto left_out = found.size() - static_cast<std::size_t>(std::count_if(found.begin(), found.end(), listed));
  if (left_out > 0) log::warning(fmt::format("{}: {} detections are of categories that {} does not list; they are left out", detections, left_out, ground_truth));
  for (const std::string& line : evaluation::summary_lines(result)) output.line(line);
  nlohmann::json categories = nlohmann::json::array();
  for (std::size_t k = 0; k < result.categories.size(); ++k) {
    categories.push_back({{"id", result.categories[k].id}, {"name", result.categories[k].name}, {"ap", result.ap_per_category[k]}, {"ap50", result.ap50_per_category[k]}});
    if (per_category) output.line(fmt::format(" {:>6} {:<24} AP {:.4f} AP50 {:.4f}", result.categories[k].id, result.categories[k].name, result.ap_per_category[k], result.ap50_per_category[k]));
  }
  return {{"coco", {{"stats", result.stats}, {"map", result.stats[0]}, {"map50", result.stats[1]}, {"per_category", categories}}},
          {"pictures", truth.images.size()}, {"annotations", truth.annotations.size()}, {"detections", found.size()}, {"detections_left_out", left_out}, {"max_detections", result.options.max_detections}};
}

}  // namespace yolov7::cli
