#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "cli/verbs/val_options.hpp"
#include "core/archive.hpp"
#include "core/file.hpp"
#include "core/output_guard.hpp"
#include "core/output_names.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/chart.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

/// Measures without what only a report needs.
evaluation::ValidationOptions plain(evaluation::ValidationOptions options) {
  options.pictures = 0;
  options.keep_detections = false;
  options.analyses = {};
  return options;
}

nlohmann::json to_json(const evaluation::ValidationResult& r, const std::string& weights,
                       const std::string& detector) {
  return {{"weights", weights},
          {"detector", detector},
          {"image_size", r.options.image_size},
          {"batch_size", r.options.batch_size},
          {"pictures", r.pictures},
          {"coco", {{"map50", r.map50()}, {"map", r.map()}}},
          {"official",
           {{"precision", r.official.mean_p},
            {"recall", r.official.mean_r},
            {"map50", r.official.map50},
            {"map", r.official.map}}},
          {"times_ms",
           {{"pre", r.times.pre},
            {"inference", r.times.inference},
            {"nms", r.times.nms},
            {"total", r.times.total}}}};
}

/// The thirteen columns of the official program: P, R, both mAP of the official metric, three
/// losses (0), times, size twice, batch.
std::string study_row(const evaluation::ValidationResult& r) {
  std::string row;
  for (const double v :
       {r.official.mean_p, r.official.mean_r, r.official.map50, r.official.map, 0.0, 0.0, 0.0,
        r.times.inference, r.times.nms, r.times.total, static_cast<double>(r.options.image_size),
        static_cast<double>(r.options.image_size), static_cast<double>(r.options.batch_size)})
    row += fmt::format("{}{:>10}", row.empty() ? "" : " ", text::general(v, 4));
  return row + "\n";
}

/// From the second size up to the one with the best AP; a model that gets worse with size needs no
/// picture of that.
ChartLine line_of(const std::string& name, const nlohmann::json& rows) {
  ChartLine line{name, {}};
  std::size_t best = 0;
  const auto ap = [&](std::size_t i) { return 100 * rows[i]["coco"]["map"].get<double>(); };
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (ap(i) >= ap(best)) best = i;
  for (std::size_t i = rows.size() > 1 && best > 0 ? 1 : 0; i <= best; ++i)
    line.points.emplace_back(rows[i]["times_ms"]["total"].get<double>(), ap(i));
  if (line.points.size() == 1) line.mark = ChartMark::cross;
  return line;
}

/// One for each weights file, also where two have one name; none is an input.
std::vector<std::string> study_files(const ValOptions& o) {
  OutputNames names;
  OutputGuard guard;
  guard.protect(o.data, "--data");
  for (const std::string& weights : o.model.weights) guard.protect(weights, "--weights");
  const fs::path folder = fs::path(o.project) / o.name;
  std::vector<std::string> files;
  for (const std::string& weights : o.model.weights)
    files.push_back(names.take(fmt::format("study_{}_{}", fs::path(o.data).stem().string(),
                                           fs::path(weights).stem().string()),
                               Results::one, ".txt"));
  for (const std::string& file : files) guard.claim(folder / file);
  for (const char* file : {"study.zip", "study.png"}) guard.claim(folder / file);
  return files;
}

cv::Mat plot(const std::vector<ChartLine>& lines, bool coco) {
  Chart chart{"COCO AP, %, over milliseconds an image",
              "ms an image (waiting, network, suppression)", lines};
  // Published figures on a V100 and COCO: beside other data they would say nothing.
  if (coco)
    chart.lines.push_back({"EfficientDet D0 to D5 (published)",
                           {{1000.0 / 209, 34.6},
                            {1000.0 / 140, 40.5},
                            {1000.0 / 97, 43.0},
                            {1000.0 / 58, 47.5},
                            {1000.0 / 35, 49.7},
                            {1000.0 / 18, 51.5}}});
  return chart_picture({1200, 900}, chart);
}

}  // namespace

nlohmann::json run_speed(const ValOptions& given, Output& output) {
  ValOptions o = given;
  o.measuring.nms.conf_thres = 0.25;
  o.measuring.nms.iou_thres = 0.45;
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& weights : given.model.weights) {
    o.model.weights = {weights};
    const api::OpenModel model = api::open_detector(o.model);
    const Measurement m = prepare_measurement(o, "val", model);
    const evaluation::ValidationResult r =
        evaluation::evaluate(*model.detector, m.index, plain(m.options));
    judge_finite(r, output);
    output.line(fmt::format(
        "{}: {}; {} images, {} px, batches of {}: {:.2f} ms waiting, {:.2f} ms network, {:.2f} "
        "ms suppression, {:.2f} ms in all, an image",
        weights, model.detector->description(), r.pictures, r.options.image_size,
        r.options.batch_size, r.times.pre, r.times.inference, r.times.nms, r.times.total));
    all.push_back(to_json(r, weights, model.detector->description()));
  }
  return {{"task", "speed"},
          {"conf_thres", o.measuring.nms.conf_thres},
          {"iou_thres", o.measuring.nms.iou_thres},
          {"rows", all}};
}

nlohmann::json run_study(const ValOptions& given, Output& output) {
  ValOptions o = given;
  const std::vector<std::string> files = study_files(o);
  const fs::path folder = make_run_folder(o.project, o.name, o.exist_ok);
  std::vector<std::string> contents;
  std::vector<ChartLine> lines;
  nlohmann::json all = nlohmann::json::array();
  output.line(fmt::format("{:>10}{:>12}{:>12}{:>14}{:>14}{:>14}", "px", "COCO mAP50", "COCO mAP",
                          "network, ms", "suppr., ms", "in all, ms"));
  for (const std::string& weights : given.model.weights) {
    o.model.weights = {weights};
    const api::OpenModel model = api::open_detector(o.model);
    output.line(fmt::format("{}: {}", weights, model.detector->description()));
    nlohmann::json rows = nlohmann::json::array();
    std::string content;
    for (const int size : given.study_sizes) {
      o.measuring.image_size = size;
      const Measurement m = prepare_measurement(o, "val", model);
      const evaluation::ValidationResult r =
          evaluation::evaluate(*model.detector, m.index, plain(m.options));
      judge_finite(r, output);
      output.line(fmt::format("{:>10}{:>12.4f}{:>12.4f}{:>14.2f}{:>14.2f}{:>14.2f}",
                              r.options.image_size, r.map50(), r.map(), r.times.inference,
                              r.times.nms, r.times.total));
      rows.push_back(to_json(r, weights, model.detector->description()));
      content += study_row(r);
    }
    contents.push_back(content);
    file::write_atomically(folder / files[contents.size() - 1], content);
    lines.push_back(line_of(fs::path(weights).stem().string(), rows));
    all.insert(all.end(), rows.begin(), rows.end());
  }
  network::ArchiveWriter archive(folder / "study.zip");
  for (std::size_t i = 0; i < files.size(); ++i)
    archive.add(files[i], std::as_bytes(std::span(contents[i])));
  archive.finish();
  write_picture(folder / "study.png", plot(lines, is_coco(o.data)));
  output.line(fmt::format("Results in {}", folder.string()));
  return {{"task", "study"}, {"folder", folder.string()}, {"rows", all}};
}

}  // namespace yolov7::cli
