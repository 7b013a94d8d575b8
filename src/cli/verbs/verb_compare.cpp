// yolov7 compare: is one detector better than another?
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/verb.hpp"
#include "cli/verbs/model_accuracy.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/analyses/analyses.hpp"
#include "evaluation/metrics/coco_json.hpp"
#include "runtime/detect.hpp"

namespace yolov7::cli {
namespace {

struct CompareOptions {
  std::string ground_truth, data, split = "val";
  std::vector<std::string> compared;
  int draws = 1000, seed = 0, image_size = 640, batch_size = 8;
};

Settings settings(CompareOptions& o) {
  return Settings{
      "compare",
      {
          setting(
              "compared", o.compared,
              "a and b: two COCO result files of any programs, or two models in any format that "
              "val takes; which of them, their content tells")
              .alias("detections")
              .positional()
              .basic(),
          setting("ground-truth", o.ground_truth, "of result files: COCO ground-truth file")
              .basic(),
          setting("data", o.data, "of models: data set description (data.yaml)").basic(),
          setting("split", o.split, "of --data").choices({"val", "test", "train"}),
          setting("img-size", o.image_size,
                  "of models: long side of the input in pixels; a file of one size takes that, and "
                  "refuses another")
              .range(1, runtime::longest_input_side),
          setting("batch-size", o.batch_size, "of models: images of a batch").range(1, 65536),
          setting("bootstrap", o.draws,
                  "draws of the images, with replacement, both detectors on the same")
              .range(1, 1e6),
          setting("seed", o.seed, "of the draws").range(0, 2'147'483'647),
      }};
}

/// `enough`: pictures and draws.
std::string verdict(const evaluation::Interval& difference, bool enough) {
  if (!enough) return "no difference is shown";
  if (difference.low > 0) return "b is better";
  if (difference.high < 0) return "a is better";
  return "no difference is shown";
}

nlohmann::json report(const char* name, const evaluation::Interval& difference, double better,
                      bool enough, Output& output) {
  output.line(fmt::format(
      "{:<6} b - a {:+.4f}, 95 % of the draws {:+.4f} to {:+.4f}; b is better in {:.1f} % of them: "
      "{}",
      name, difference.value, difference.low, difference.high, 100 * better,
      verdict(difference, enough)));
  nlohmann::json json = evaluation::to_json(difference);
  json["b_better"] = better;
  json["verdict"] = verdict(difference, enough);
  return json;
}

/// A result file is JSON, and no model is.
bool is_result_file(const std::string& path) {
  if (!std::filesystem::exists(path)) throw Error(fmt::format("{}: no such file", path));
  if (std::filesystem::is_directory(path)) return false;
  std::ifstream in(path, std::ios::binary);
  char bytes[64] = {};
  in.read(bytes, sizeof bytes);
  std::string_view start(bytes, static_cast<std::size_t>(in.gcount()));
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  start = text::trim(start);
  return !start.empty() && (start.front() == '[' || start.front() == '{');
}

std::vector<evaluation::CocoMatches> of_result_files(const CompareOptions& o) {
  if (o.ground_truth.empty())
    throw usage_error("compare: expected --ground-truth FILE beside two result files, found none");
  const evaluation::CocoGroundTruth truth = evaluation::read_ground_truth(o.ground_truth);
  std::unordered_set<std::int64_t> known;
  for (const evaluation::CocoCategory& category : truth.categories) known.insert(category.id);
  std::vector<evaluation::CocoMatches> matches;
  std::vector<std::unordered_set<std::int64_t>> images(o.compared.size());
  for (std::size_t i = 0; i < o.compared.size(); ++i) {
    const auto found = evaluation::read_detections(o.compared[i], truth);
    std::size_t left_out = 0;
    for (const evaluation::CocoDetection& one : found) {
      images[i].insert(one.image);
      left_out += known.contains(one.category) ? 0 : 1;
    }
    if (left_out > 0)
      log::warning(fmt::format(
          "{}: {} of {} detections are of categories that {} does not list; they are left out",
          o.compared[i], left_out, found.size(), o.ground_truth));
    matches.push_back(evaluation::match_coco(truth, found));
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::size_t missing = 0;
    for (const std::int64_t image : images[1 - i]) missing += images[i].contains(image) ? 0 : 1;
    if (missing > 0)
      log::warning(fmt::format(
          "{}: no detection on {} images on which {} has some: nothing was found there, or they "
          "were not run, which would make the comparison wrong",
          o.compared[i], missing, o.compared[1 - i]));
  }
  return matches;
}

/// Settings of the other kind of comparison.
void warn_of_unused(bool results, const std::vector<std::string>& given) {
  const std::vector<std::string> without =
      results ? std::vector<std::string>{"data", "split", "img-size", "batch-size"}
              : std::vector<std::string>{"ground-truth"};
  for (const std::string& name : without)
    if (text::contains(given, name))
      log::warning(fmt::format("--{} has no effect beside two {}", name,
                               results ? "result files" : "models"));
}

/// Both see the same images; a file of one size takes them so, and the other model then, too.
/// `given`: names of the settings on the command line.
std::vector<evaluation::CocoMatches> of_models(const CompareOptions& o,
                                               const std::vector<std::string>& given,
                                               Output& output) {
  if (o.data.empty())
    throw usage_error("compare: expected --data data.yaml beside two models, found none");
  std::vector<api::OpenModel> models;
  runtime::InputSides sides;
  for (const std::string& path : o.compared) {
    api::ModelOptions options;
    options.weights = {path};
    models.push_back(api::open_detector(options));
    api::require_agreement(models.back(), o.image_size, {}, given);
    const runtime::InputSides own = models.back().detector->sides();
    if (own.fixed() && sides.fixed() && (own.height != sides.height || own.width != sides.width))
      throw Error(
          fmt::format("compare: expected models that take the same images, found {} x {} "
                      "and {} x {} (width x height)",
                      sides.width, sides.height, own.width, own.height));
    if (own.fixed()) sides = own;
  }
  ValOptions val;
  val.data = o.data;
  val.task = o.split;
  val.measuring.image_size = sides.fixed() ? std::max(sides.height, sides.width) : o.image_size;
  val.measuring.batch_size = o.batch_size;
  std::vector<evaluation::CocoMatches> matches;
  for (api::OpenModel& model : models) {
    output.line(fmt::format("{}: {}", model.path, model.detector->description()));
    const Measurement measurement = prepare_measurement(val, o.split, model);
    matches.push_back(measure_model(*with_sides(*model.detector, sides), measurement).matches);
  }
  return matches;
}

}  // namespace

nlohmann::json run_compare(const std::vector<std::string>& arguments, Output& output) {
  CompareOptions o;
  const Settings table = settings(o);
  if (!parse_arguments(table, arguments, output)) return {};
  if (o.compared.size() != 2)
    throw usage_error(
        fmt::format("compare: expected two result files with --ground-truth FILE, or two models "
                    "with --data FILE, found {}",
                    o.compared.size()));
  const bool results = is_result_file(o.compared[0]);
  if (results != is_result_file(o.compared[1]))
    throw usage_error(fmt::format(
        "compare: expected two result files or two models, found a result file ({}) and a model "
        "({})",
        o.compared[results ? 0 : 1], o.compared[results ? 1 : 0]));
  const std::vector<std::string> given = given_names(table, arguments);
  warn_of_unused(results, given);
  const std::vector<evaluation::CocoMatches> matches =
      results ? of_result_files(o) : of_models(o, given, output);
  const evaluation::BootstrapOptions options{o.draws, 0.95, static_cast<std::uint64_t>(o.seed), 0,
                                             interrupt::token()};
  nlohmann::json json{
      {"pictures", matches[0].pictures}, {"draws", o.draws}, {"level", options.level}};
  for (std::size_t i = 0; i < 2; ++i) {
    const evaluation::HeadlineIntervals own = evaluation::bootstrap(matches[i], options);
    output.line(
        fmt::format("{}: {}: mAP50 {:.4f} ({:.4f} to {:.4f}), mAP {:.4f} ({:.4f} to {:.4f})",
                    i == 0 ? "a" : "b", o.compared[i], own.map50.value, own.map50.low,
                    own.map50.high, own.map.value, own.map.low, own.map.high));
    json[i == 0 ? "a" : "b"] = {{"detections", o.compared[i]},
                                {"map50", evaluation::to_json(own.map50)},
                                {"map", evaluation::to_json(own.map)}};
  }
  const evaluation::Comparison c = evaluation::compare(matches[0], matches[1], options);
  const std::string few = evaluation::too_few(matches[0].pictures, options);
  if (!few.empty()) log::warning("compare: " + few);
  json["map50"] = report("mAP50", c.map50, c.map50_better, few.empty(), output);
  json["map"] = report("mAP", c.map, c.map_better, few.empty(), output);
  return json;
}

}  // namespace yolov7::cli
