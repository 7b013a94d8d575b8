// yolov7 compare: is one detector better than another?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "evaluation/analyses/analyses.hpp"
#include "evaluation/metrics/coco_json.hpp"

namespace yolov7::cli {
namespace {

struct CompareOptions {
  std::string ground_truth;
  std::vector<std::string> detections;
  int draws = 1000, seed = 0;
};

Settings settings(CompareOptions& o) {
  return Settings{
      "compare",
      {
          setting("ground-truth", o.ground_truth, "COCO ground-truth file"),
          setting("detections", o.detections, "two COCO result files, a and b, of any programs")
              .positional(),
          setting("bootstrap", o.draws,
                  "draws of the images, with replacement, both detectors on the same")
              .range(1, 1e6),
          setting("seed", o.seed, "of the draws").range(0, 2'147'483'647),
      }};
}

std::string verdict(const evaluation::Interval& difference) {
  if (difference.low > 0) return "b is better";
  if (difference.high < 0) return "a is better";
  return "no difference is shown";
}

nlohmann::json report(const char* name, const evaluation::Interval& difference, double better,
                      Output& output) {
  output.line(fmt::format(
      "{:<6} b - a {:+.4f}, 95 % of the draws {:+.4f} to {:+.4f}; b is better in {:.1f} % of them: "
      "{}",
      name, difference.value, difference.low, difference.high, 100 * better, verdict(difference)));
  nlohmann::json json = evaluation::to_json(difference);
  json["b_better"] = better;
  json["verdict"] = verdict(difference);
  return json;
}

}  // namespace

nlohmann::json run_compare(const std::vector<std::string>& arguments, Output& output) {
  CompareOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.ground_truth.empty() || o.detections.size() != 2)
    throw usage_error(
        fmt::format("compare: expected --ground-truth FILE and two result files, found {}",
                    o.detections.size()));
  const evaluation::CocoGroundTruth truth = evaluation::read_ground_truth(o.ground_truth);
  std::vector<evaluation::CocoMatches> matches;
  for (const std::string& file : o.detections)
    matches.push_back(evaluation::match_coco(truth, evaluation::read_detections(file, truth)));
  const evaluation::BootstrapOptions options{o.draws, 0.95, static_cast<std::uint64_t>(o.seed), 0,
                                             interrupt::token()};
  nlohmann::json json{
      {"pictures", truth.images.size()}, {"draws", o.draws}, {"level", options.level}};
  for (std::size_t i = 0; i < 2; ++i) {
    const evaluation::HeadlineIntervals own = evaluation::bootstrap(matches[i], options);
    output.line(
        fmt::format("{}: {}: mAP50 {:.4f} ({:.4f} to {:.4f}), mAP {:.4f} ({:.4f} to {:.4f})",
                    i == 0 ? "a" : "b", o.detections[i], own.map50.value, own.map50.low,
                    own.map50.high, own.map.value, own.map.low, own.map.high));
    json[i == 0 ? "a" : "b"] = {{"detections", o.detections[i]},
                                {"map50", evaluation::to_json(own.map50)},
                                {"map", evaluation::to_json(own.map)}};
  }
  const evaluation::Comparison c = evaluation::compare(matches[0], matches[1], options);
  json["map50"] = report("mAP50", c.map50, c.map50_better, output);
  json["map"] = report("mAP", c.map, c.map_better, output);
  return json;
}

}  // namespace yolov7::cli
