#include "evaluation/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "evaluation/metrics/coco_summary.hpp"
#include "evaluation/report/plots.hpp"
#include "evaluation/report/worst_pictures.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/text.hpp"
#include "runtime/results/labels.hpp"

namespace yolov7::evaluation {
namespace {

std::vector<std::string> class_names(const ValidationResult& result, const dataset::Index& index) {
  if (result.options.single_cls && index.names.size() != 1) return {"item"};
  return index.names;
}

/// Where the class stands among those with targets, if it does.
std::optional<std::size_t> position(const YoloMetric& m, int c) {
  const auto found = std::lower_bound(m.classes.begin(), m.classes.end(), c);
  if (found == m.classes.end() || *found != c) return std::nullopt;
  return static_cast<std::size_t>(found - m.classes.begin());
}

/// COCO AP of a class, −1 where absent.
double coco_ap(const ValidationResult& result, int c, bool at50) {
  for (std::size_t k = 0; k < result.coco.categories.size(); ++k)
    if (result.coco.categories[k].id == c + 1)
      return at50 ? result.coco.ap50_per_category[k] : result.coco.ap_per_category[k];
  return -1;
}

std::string per_class_csv(const ValidationResult& result, const std::vector<std::string>& names) {
  std::string out =
      "class,targets,official_P,official_R,official_F1,official_AP50,official_AP50:95,COCO_AP50,"
      "COCO_AP\n";
  const YoloMetric& m = result.official;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const auto i = position(m, static_cast<int>(c));
    out += text::csv(names[c]) +
           (i ? fmt::format(",{},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g}", m.targets[*i], m.p[*i],
                            m.r[*i], m.f1[*i], m.ap50[*i], m.ap[*i])
              : ",0,,,,,");
    for (const bool at50 : {true, false}) {
      const double value = coco_ap(result, static_cast<int>(c), at50);
      out += value < 0 ? "," : fmt::format(",{:.9g}", value);
    }
    out += "\n";
  }
  return out;
}

std::string confusion_csv(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  const auto name = [&](int c) {
    return c == matrix.background() ? std::string("background")
                                    : text::csv(names.at(static_cast<std::size_t>(c)));
  };
  std::string out = "predicted \\ true";
  for (int c = 0; c <= matrix.background(); ++c) out += "," + name(c);
  out += "\n";
  for (int p = 0; p <= matrix.background(); ++p) {
    out += name(p);
    for (int t = 0; t <= matrix.background(); ++t) out += fmt::format(",{}", matrix.at(p, t));
    out += "\n";
  }
  return out;
}

/// Best first.
void write_label_files(const std::filesystem::path& folder, const ValidationResult& result,
                       const dataset::Index& index, bool with_confidence) {
  const std::vector<std::filesystem::path> files = label_files(index);
  file::make_folder(folder / "labels");
  for (const PictureDetections& picture : result.detections) {
    const dataset::Entry& entry = index.entries[picture.entry];
    std::string lines;
    for (const Detection& d : picture.detections)
      lines += runtime::label_line(d, {entry.width, entry.height}, with_confidence, false);
    runtime::write_label_file(folder / files[picture.entry], lines);
  }
}

void write_curves(const std::filesystem::path& folder, const ValidationResult& result,
                  const std::vector<std::string>& names) {
  const YoloMetric& m = result.official;
  if (m.classes.empty()) return;
  std::vector<std::string> shown;
  for (const int c : m.classes) shown.push_back(class_label(c, names));
  const auto write = [&](const char* file_name, const char* x, const char* y,
                         const std::vector<std::vector<double>>& curves, bool recall_axis) {
    write_picture(folder / file_name,
                  plot_curves({x, y, curves, shown, recall_axis ? m.ap50 : std::vector<double>{}}));
  };
  write("PR_curve.png", "Recall", "Precision", m.precision_curve, true);
  write("P_curve.png", "Confidence", "Precision", m.p_curve, false);
  write("R_curve.png", "Confidence", "Recall", m.r_curve, false);
  write("F1_curve.png", "Confidence", "F1", m.f1_curve, false);
}

std::string without_objects(const YoloMetric& m, const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  std::size_t count = 0;
  for (std::size_t c = 0; c < names.size(); ++c)
    if (!position(m, static_cast<int>(c)) && ++count <= 10) shown.push_back(names[c]);
  return fmt::format(
      "{} of {} classes have no object in this split and take no part in the means: {}{}", count,
      names.size(), text::join(shown, ", "), count > 10 ? ", …" : "");
}

nlohmann::json classes_json(const ValidationResult& result, const std::vector<std::string>& names) {
  const YoloMetric& m = result.official;
  nlohmann::json classes = nlohmann::json::array();
  for (std::size_t i = 0; i < m.classes.size(); ++i)
    classes.push_back({{"class", m.classes[i]},
                       {"name", names.at(static_cast<std::size_t>(m.classes[i]))},
                       {"targets", m.targets[i]},
                       {"official",
                        {{"precision", m.p[i]},
                         {"recall", m.r[i]},
                         {"f1", m.f1[i]},
                         {"ap50", m.ap50[i]},
                         {"ap", m.ap[i]}}},
                       {"coco",
                        {{"ap50", coco_ap(result, m.classes[i], true)},
                         {"ap", coco_ap(result, m.classes[i], false)}}}});
  return classes;
}

}  // namespace

nlohmann::json to_json(const ValidationResult& result, const dataset::Index& index,
                       const ReportOptions& options) {
  using nlohmann::json;
  const std::vector<std::string> names = class_names(result, index);
  const YoloMetric& m = result.official;
  json out = {{"split", index.split},
              {"pictures", result.pictures},
              {"labels", result.labels},
              {"predictions", result.predictions},
              {"coco",
               {{"map50", result.map50()},
                {"map", result.map()},
                {"stats", result.coco.stats},
                {"max_detections", result.coco.options.max_detections},
                {"ground_truth", options.ground_truth}}},
              {"official",
               {{"precision", m.mean_p},
                {"recall", m.mean_r},
                {"map50", m.map50},
                {"map", m.map},
                {"confidence", m.confidence},
                {"v5_metric", result.options.v5_metric}}},
              {"per_class", classes_json(result, names)},
              {"times_ms",
               {{"pre", result.times.pre},
                {"inference", result.times.inference},
                {"nms", result.times.nms},
                {"total", result.times.total},
                {"prepare_altogether", result.times.prepare}}},
              {"conf_thres", result.options.nms.conf_thres},
              {"iou_thres", result.options.nms.iou_thres},
              {"max_det", result.options.nms.max_det},
              {"max_nms", result.options.nms.max_nms},
              {"nms", std::string(nms_kind_name(result.options.nms.kind))},
              {"single_cls", result.options.single_cls},
              {"image_size", result.options.image_size},
              {"batch_size", result.options.batch_size},
              {"highest_score", result.highest_score},
              {"rows_not_finite", result.dropped_not_finite},
              {"images_not_finite", result.pictures_not_finite},
              {"dataset_identity", index.identity}};
  out.update(result.analyses.json());
  if (!options.weights.empty()) out["weights"] = options.weights;
  if (!options.weights_hash.empty()) out["weights_hash"] = options.weights_hash;
  if (!options.detector.empty()) out["detector"] = options.detector;
  if (result.options.save_hybrid)
    out["invalid"] = setting_name("save-hybrid") + ": the ground truth is among the predictions";
  return out;
}

void write_report(const std::filesystem::path& folder, const ValidationResult& result,
                  const dataset::Index& index, const ReportOptions& options) {
  const std::vector<std::string> names = class_names(result, index);
  file::write_atomically(folder / "results.json",
                         json_text(to_json(result, index, options), 1) + "\n");
  file::write_atomically(folder / "per_class.csv", per_class_csv(result, names));
  file::write_atomically(folder / "confusion_matrix.csv", confusion_csv(result.confusion, names));
  write_picture(folder / "confusion_matrix.png", plot_confusion(result.confusion, names));
  write_curves(folder, result, names);
  for (std::size_t i = 0; i < result.label_sheets.size(); ++i) {
    write_picture(folder / fmt::format("test_batch{}_labels.jpg", i), result.label_sheets[i]);
    write_picture(folder / fmt::format("test_batch{}_pred.jpg", i), result.prediction_sheets[i]);
  }
  result.analyses.write(folder);
  if (const cv::Mat worst = worst_pictures(result, index, names); !worst.empty())
    write_picture(folder / "worst_pictures.jpg", worst);
  if (options.label_files) write_label_files(folder, result, index, options.with_confidence);
  if (options.detections_json.empty()) return;
  write_detections(options.detections_json, result.detections, index, options.coco_ids);
  write_ground_truth(folder / "ground_truth.json", index, options.coco_ids);
}

std::vector<std::string> console_lines(const ValidationResult& result, const dataset::Index& index,
                                       bool per_class) {
  const std::vector<std::string> names = class_names(result, index);
  const YoloMetric& m = result.official;
  const auto row = [](const std::string& name, std::size_t images, std::size_t labels, double p,
                      double r, double ap50, double ap) {
    return fmt::format("{:>20}{:>12}{:>12}{:>12.3g}{:>12.3g}{:>12.3g}{:>12.3g}", name, images,
                       labels, p, r, ap50, ap);
  };
  std::vector<std::string> lines = {
      fmt::format(
          "official metric (conf {}, IoU {}{}){}", text::general(result.options.nms.conf_thres),
          text::general(result.options.nms.iou_thres),
          result.options.v5_metric ? ", v5 end point" : "",
          result.options.save_hybrid ? ": INVALID, the labels are among the predictions" : ""),
      fmt::format("{:>20}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}", "Class", "Images", "Labels", "P",
                  "R", "mAP@.5", "mAP@.5:.95"),
      row("all", result.pictures, result.labels, m.mean_p, m.mean_r, m.map50, m.map)};
  if (per_class && m.classes.size() > 1)
    for (std::size_t i = 0; i < m.classes.size(); ++i)
      lines.push_back(row(names.at(static_cast<std::size_t>(m.classes[i])), result.pictures,
                          m.targets[i], m.p[i], m.r[i], m.ap50[i], m.ap[i]));
  if (m.classes.size() < names.size()) lines.push_back(without_objects(m, names));
  lines.push_back(m.classes.empty()
                      ? "there is no object in this split, so nothing can be measured"
                      : fmt::format("P and R at confidence {:.3f}, where the mean F1 is largest",
                                    m.confidence));
  lines.push_back(fmt::format("COCO metric{}: mAP50 {:.4f}, mAP {:.4f}",
                              result.options.save_hybrid ? " (INVALID)" : "", result.map50(),
                              result.map()));
  for (const std::string& line : summary_lines(result.coco)) lines.push_back(line);
  for (const std::string& line : result.analyses.lines()) lines.push_back(line);
  const ValidationTimes& t = result.times;
  lines.push_back(
      fmt::format("Speed: {:.1f}/{:.1f}/{:.1f}/{:.1f} ms pre-process wait/inference/NMS/total per "
                  "{}x{} image at batch-size {}",
                  t.pre, t.inference, t.nms, t.total, result.options.image_size,
                  result.options.image_size, result.options.batch_size));
  if (t.prepare >= 1)
    lines.push_back(fmt::format("besides, {:.0f} ms to get the detector ready for its input shapes",
                                t.prepare));
  if (result.dropped_not_finite > 0)
    lines.push_back(fmt::format("{} rows that were not finite were left out, of {} images",
                                result.dropped_not_finite, result.pictures_not_finite));
  if (result.highest_score <= static_cast<float>(result.options.nms.conf_thres))
    lines.push_back(fmt::format("nothing was found: the highest score is {:.4g}, the threshold {}",
                                result.highest_score,
                                text::general(result.options.nms.conf_thres)));
  return lines;
}

}  // namespace yolov7::evaluation
