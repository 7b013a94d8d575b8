#include "evaluation/analyses/analyses.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/chart.hpp"
#include "image/drawing/text.hpp"

namespace yolov7::evaluation {
namespace {

using nlohmann::json;

json errors_json(const ErrorAnalysis& a) {
  json types;
  for (std::size_t i = 0; i < error_types; ++i) {
    const auto type = static_cast<ErrorType>(i);
    types[error_name(type)] = {{"errors", a.count(type)}, {"dap", a.dap[i]}};
  }
  return {{"ap", a.ap},
          {"types", types},
          {"false_positives", a.false_positives},
          {"false_negatives", a.false_negatives},
          {"foreground", a.options.foreground},
          {"background", a.options.background}};
}

json list_of(const ErrorAnalysis& a, const CocoGroundTruth& truth,
             const std::vector<CocoDetection>& found) {
  json list = json::array();
  for (const DetectionError& error : a.errors) {
    json one{{"type", error_name(error.type)}};
    if (error.detection >= 0) {
      const CocoDetection& d = found[static_cast<std::size_t>(error.detection)];
      one.update({{"detection", error.detection},
                  {"image_id", d.image},
                  {"category_id", d.category},
                  {"score", d.score},
                  {"bbox", {d.box.left, d.box.top, d.box.width, d.box.height}}});
    }
    if (error.annotation >= 0) {
      const CocoAnnotation& g = truth.annotations[static_cast<std::size_t>(error.annotation)];
      one.update({{"annotation", g.id},
                  {"true_category_id", g.category},
                  {"true_bbox", {g.box.left, g.box.top, g.box.width, g.box.height}}});
      if (error.detection < 0) one["image_id"] = g.image;
    }
    list.push_back(std::move(one));
  }
  return list;
}

json calibration_json(const Calibration& c) {
  json bins = json::array();
  for (std::size_t i = 0; i < c.bins.size(); ++i)
    bins.push_back({{"from", static_cast<double>(i) / static_cast<double>(c.bins.size())},
                    {"detections", c.bins[i].count},
                    {"mean_score", c.bins[i].confidence},
                    {"precision", c.bins[i].precision}});
  return {{"expected_error", c.expected_error}, {"detections", c.detections}, {"bins", bins}};
}

std::vector<std::string> calibration_lines(const Calibration& c) {
  std::vector<std::string> lines{
      fmt::format("Calibration at IoU 0.5: expected error {:.4f} over {} detections",
                  c.expected_error, c.detections),
      fmt::format("  {:>12}{:>10}{:>12}{:>12}", "score", "number", "mean score", "precision")};
  const double width = 1 / static_cast<double>(c.bins.size());
  for (std::size_t i = 0; i < c.bins.size(); ++i) {
    const auto& bin = c.bins[i];
    lines.push_back(fmt::format("  {:>12}{:>10}{:>12.4f}{:>12.4f}",
                                fmt::format("{:.1f} to {:.1f}", static_cast<double>(i) * width,
                                            static_cast<double>(i + 1) * width),
                                bin.count, bin.confidence, bin.precision));
  }
  return lines;
}

/// The reliability diagram: on the diagonal a score is the share of right detections.
cv::Mat plot(const Calibration& c) {
  Chart chart{fmt::format("Calibration at IoU 0.5 (expected error {:.3f})", c.expected_error),
              "score (upward: share that is right)",
              {{"detections", {}}, {"perfect", {{0, 0}, {1, 1}}}},
              {{0, 1}},
              {{0, 1}}};
  for (const Calibration::Bin& bin : c.bins)
    if (bin.count > 0) chart.lines[0].points.emplace_back(bin.confidence, bin.precision);
  return chart_picture({800, 800}, chart);
}

/// A bar for each type: what repairing it would add.
cv::Mat plot(const ErrorAnalysis& a) {
  constexpr int left = 140, bar = 44, gap = 24, top = 90, width = 900;
  std::vector<std::pair<std::string, double>> rows;
  for (std::size_t i = 0; i < error_types; ++i)
    rows.emplace_back(error_name(static_cast<ErrorType>(i)), a.dap[i]);
  rows.emplace_back("FalsePos", a.false_positives);
  rows.emplace_back("FalseNeg", a.false_negatives);
  double most = 1e-9;
  for (const auto& row : rows) most = std::max(most, row.second);
  cv::Mat canvas(top + static_cast<int>(rows.size()) * (bar + gap) + 20, width, CV_8UC3,
                 cv::Scalar::all(255));
  const TextStyle letters{21};
  draw_text(canvas,
            fmt::format("AP at IoU {:.2f}: {:.2f} %. What repairing one kind of error adds, in %",
                        a.options.foreground, a.ap),
            {20, 50}, letters);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int y = top + static_cast<int>(i) * (bar + gap),
              length = static_cast<int>(rows[i].second / most * (width - left - 130));
    canvas(cv::Rect(left, y, std::max(1, length), bar))
        .setTo(chart_colour(i < error_types ? 0 : 1));
    draw_text(canvas, rows[i].first, {20, y + bar * 2 / 3}, letters);
    draw_text(canvas, fmt::format("{:.2f}", rows[i].second),
              {left + std::max(1, length) + 12, y + bar * 2 / 3}, letters);
  }
  return canvas;
}

std::string thresholds_csv(const Breakdown& b) {
  std::string out = "class,objects,confidence,F1,precision,recall\n";
  const auto row = [&](const std::string& name, const BestThreshold& t) {
    out += fmt::format("{},{},{:.9g},{:.9g},{:.9g},{:.9g}\n", name, t.objects, t.confidence, t.f1,
                       t.precision, t.recall);
  };
  row("all", b.overall);
  for (std::size_t i = 0; i < b.categories.size(); ++i)
    row(text::csv(b.categories[i].name), b.by_category[i]);
  return out;
}

std::string breakdown_csv(const Breakdown& b) {
  std::string out =
      "property,value,objects,recall_at_IoU_0.5,recall_above_best_threshold,average_recall\n";
  for (const ObjectBin& one : b.bins)
    out += fmt::format("{},{},{},{:.9g},{:.9g},{:.9g}\n", one.property, text::csv(one.name),
                       one.objects, one.recall50, one.recall50_at_best, one.average_recall);
  return out;
}

json threshold_json(const BestThreshold& t) {
  return {{"confidence", t.confidence},
          {"f1", t.f1},
          {"precision", t.precision},
          {"recall", t.recall},
          {"objects", t.objects}};
}

void add_breakdown(const Breakdown& b, json& out) {
  json by_class = json::array(), bins = json::array();
  for (std::size_t i = 0; i < b.categories.size(); ++i) {
    by_class.push_back(threshold_json(b.by_category[i]));
    by_class.back().update({{"category_id", b.categories[i].id}, {"name", b.categories[i].name}});
  }
  for (const ObjectBin& one : b.bins)
    bins.push_back({{"property", one.property},
                    {"value", one.name},
                    {"objects", one.objects},
                    {"recall50", one.recall50},
                    {"recall50_above_best_threshold", one.recall50_at_best},
                    {"average_recall", one.average_recall}});
  out["thresholds"] = {{"all", threshold_json(b.overall)}, {"by_class", by_class}};
  out["breakdown"] = bins;
  out["pictures_with_errors"] = b.pictures.size();
}

std::vector<std::string> breakdown_lines(const Breakdown& b) {
  std::vector<std::string> lines{
      fmt::format("Best F1 at IoU 0.5: {:.4f} above confidence {:.3f} (precision {:.4f}, recall "
                  "{:.4f}); {} images have errors there",
                  b.overall.f1, b.overall.confidence, b.overall.precision, b.overall.recall,
                  b.pictures.size()),
      "  The threshold was chosen on these images: expect a lower F1 on others.",
      fmt::format("  {:<12}{:<24}{:>9}{:>14}{:>16}{:>16}", "Objects by", "", "number", "recall@.5",
                  "above best F1", "AR@.5:.95")};
  for (const ObjectBin& one : b.bins)
    lines.push_back(fmt::format("  {:<12}{:<24}{:>9}{:>14.4f}{:>16.4f}{:>16.4f}", one.property,
                                one.name, one.objects, one.recall50, one.recall50_at_best,
                                one.average_recall));
  return lines;
}

/// Scores of other programs need not be probabilities; what is told of them then would be wrong.
bool scores_fit(const std::vector<CocoDetection>& detections, const char* what, double most) {
  constexpr double rounding = 1e-6;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const double score = detections[i].score;
    if (score >= 0 && score <= most + rounding) continue;
    log::warning(fmt::format("{}: left out: expected scores {}, found {} (detections[{}])", what,
                             most > 1 ? "of at least 0" : "from 0 to 1", score, i));
    return false;
  }
  return true;
}

}  // namespace

std::vector<Setting> settings(AnalysisOptions& o) {
  return group(
      "Analyses",
      {
          setting("bootstrap", o.draws,
                  "95 % intervals of mAP50 and mAP from so many draws of the images, with "
                  "replacement; alone: 1000")
              .optional_value("1000")
              .range(0, 1e6),
          setting("seed", o.seed, "of the draws of --bootstrap").range(0, 2'147'483'647),
          setting("calibration", o.calibration,
                  "how well scores are probabilities (IoU 0.5): precision by score, expected "
                  "calibration error"),
          setting("error-analysis", o.errors,
                  "which errors keep the AP down, in the manner of TIDE"),
          setting("breakdown", o.breakdown,
                  "the best threshold of each class; objects by size, shape and crowding"),
          setting("tide-pos", o.tide.foreground,
                  "error analysis: IoU from which a detection fits an object")
              .range(0, 1),
          setting("tide-bg", o.tide.background, "error analysis: IoU up to which it fits nothing")
              .range(0, 1),
          setting("tide-max-dets", o.tide.max_detections,
                  "error analysis: most detections per image, of all categories")
              .range(1, 1e6),
      });
}

json to_json(const Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

json Analyses::json() const {
  nlohmann::json out = nlohmann::json::object();
  if (intervals)
    out["bootstrap"] = {{"draws", options.draws},
                        {"level", 0.95},
                        {"map50", to_json(intervals->map50)},
                        {"map", to_json(intervals->map)}};
  if (calibration) out["calibration"] = calibration_json(*calibration);
  if (errors) out["errors"] = errors_json(*errors);
  if (breakdown) add_breakdown(*breakdown, out);
  return out;
}

std::vector<std::string> Analyses::lines() const {
  std::vector<std::string> all;
  const auto add = [&](const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  if (intervals)
    add({fmt::format(
        "95 % intervals, {} draws of the images: mAP50 {:.4f} ({:.4f} to {:.4f}), mAP {:.4f} "
        "({:.4f} to {:.4f})",
        options.draws, intervals->map50.value, intervals->map50.low, intervals->map50.high,
        intervals->map.value, intervals->map.low, intervals->map.high)});
  if (calibration) add(calibration_lines(*calibration));
  if (errors) add(error_lines(*errors));
  if (breakdown) add(breakdown_lines(*breakdown));
  return all;
}

std::vector<std::string> analysis_files(const AnalysisOptions& options) {
  std::vector<std::string> names;
  if (options.calibration) names.emplace_back("calibration.png");
  if (options.breakdown) names.insert(names.end(), {"thresholds.csv", "breakdown.csv"});
  if (options.errors) names.insert(names.end(), {"errors.png", "errors.json"});
  return names;
}

void Analyses::write(const std::filesystem::path& folder) const {
  if (calibration) write_picture(folder / "calibration.png", plot(*calibration));
  if (breakdown) {
    file::write_atomically(folder / "thresholds.csv", thresholds_csv(*breakdown));
    file::write_atomically(folder / "breakdown.csv", breakdown_csv(*breakdown));
  }
  if (!errors) return;
  write_picture(folder / "errors.png", plot(*errors));
  if (options.error_list) file::write_atomically(folder / "errors.json", error_list);
}

Analyses analyse(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                 const CocoOptions& coco, const AnalysisOptions& options) {
  Analyses out;
  out.options = options;
  if (options.draws > 0 || options.calibration || options.breakdown) {
    const CocoMatches matches = match_coco(truth, detections, coco);
    if (options.draws > 0) {
      const BootstrapOptions drawing{options.draws, 0.95, static_cast<std::uint64_t>(options.seed),
                                     0, options.stop};
      out.intervals = bootstrap(matches, drawing);
      if (const std::string why = too_few(matches.pictures, drawing); !why.empty())
        log::warning("bootstrap: " + why);
    }
    if (options.calibration && scores_fit(detections, "calibration", 1))
      out.calibration = calibration(matches);
    if (options.breakdown &&
        scores_fit(detections, "breakdown", std::numeric_limits<double>::infinity()))
      out.breakdown = break_down(truth, detections, matches);
  }
  if (!options.errors) return out;
  out.errors = analyse_errors(truth, detections, options.tide);
  if (options.error_list)
    out.error_list = json_text(list_of(*out.errors, truth, detections), 1) + "\n";
  return out;
}

}  // namespace yolov7::evaluation
