#include "monitoring/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::monitoring {
namespace {

namespace fs = std::filesystem;

/// Cells of one line of CSV: quotes around a cell, "" for a quote in it.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        cells.back() += line[i++];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

Table read_table(const fs::path& path) {
  Table table;
  const std::string content = file::read(path);
  for (const std::string_view line : text::lines(content)) {
    if (line.empty()) continue;
    if (table.header.empty())
      table.header = cells_of(line);
    else
      table.rows.push_back(cells_of(line));
  }
  return table;
}

/// The validated epoch of the best fitness, the last one where several have it, as best.pt. An
/// epoch without a validation repeats the values of the one before it.
std::string best_epoch(const Table& results) {
  const auto fitness = results.column("fitness"), epoch = results.column("epoch"),
             validated = results.column("validated");
  if (!fitness || !epoch) return {};
  const std::vector<std::string>* best = nullptr;
  double most = -1;
  for (const auto& row : results.rows) {
    if (validated && row.at(*validated) == "0") continue;
    const auto value = text::parse_double(row.at(*fitness));
    if (value && *value >= most) most = *value, best = &row;
  }
  if (best == nullptr) return {};
  Table table{{"Metric (validation)", "Value"}, {}};
  for (const auto& [column, words] : {std::pair{"coco/mAP_0.5", "mAP50, COCO"},
                                      {"coco/mAP_0.5:0.95", "mAP, COCO"},
                                      {"official/mAP_0.5", "mAP50, official metric"},
                                      {"official/mAP_0.5:0.95", "mAP, official metric"},
                                      {"official/precision", "precision, official metric"},
                                      {"official/recall", "recall, official metric"}})
    if (const auto at = results.column(column)) table.rows.push_back({words, best->at(*at)});
  return fmt::format("<p>Best epoch: {} (of {}, counted from 0).</p>\n{}",
                     text::html(best->at(*epoch)), results.rows.size(), html_table(table));
}

std::string configuration(const fs::path& folder) {
  std::string out;
  for (const char* name : {"opt.yaml", "hyp.yaml"})
    if (fs::exists(folder / name))
      out += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", name, [&] {
        std::string lines;
        const std::string content = file::read(folder / name);
        for (const std::string_view line : text::lines(content)) lines += text::html(line) + "\n";
        return lines;
      }());
  return out;
}

/// Of one certificate: a row, or nothing where it is of another kind.
std::optional<std::vector<std::string>> export_row(const nlohmann::json& certificate) {
  if (!certificate.is_object() || certificate.value("kind", std::string()) != "export")
    return std::nullopt;
  double bytes = 0;
  for (const auto& one : certificate.at("files")) bytes += one.at("bytes").get<double>();
  std::vector<std::string> row{certificate.at("format").get<std::string>(),
                               fmt::format("{:.2f}", bytes / 1e6),
                               certificate.at("verdict").get<std::string>()};
  const auto number = [&](const char* part, const char* side, const char* name) {
    return certificate.contains(part)
               ? fmt::format("{:.4g}", certificate[part].at(side).at(name).get<double>())
               : std::string("-");
  };
  for (const char* side : {"file", "weights"}) row.push_back(number("speed", side, "latency_ms"));
  for (const char* side : {"file", "weights"})
    row.push_back(number("speed", side, "images_per_second"));
  for (const char* side : {"file", "weights"}) row.push_back(number("accuracy", side, "map"));
  row.push_back(certificate.value("checked_by", std::string()));
  row.push_back(certificate.value("detail", std::string()));
  return row;
}

/// What stands beside the weights with a certificate of an export.
std::string exported_files(const fs::path& folder) {
  Table table{{"Format", "MB", "Certificate", "ms a call", "of the weights", "images a second",
               "of the weights", "mAP", "of the weights", "Checked by", "Compared"},
              {}};
  std::vector<fs::path> found;
  if (fs::is_directory(folder / "weights"))
    for (const auto& entry : fs::directory_iterator(folder / "weights"))
      if (entry.path().string().ends_with(".certificate.json")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  for (const fs::path& path : found) try {
      if (auto row = export_row(read_json(path))) table.rows.push_back(std::move(*row));
    } catch (const nlohmann::json::exception& error) {
      throw Error(fmt::format("{}: expected the certificate of an export: {}", path.string(),
                              error.what()));
    }
  return table.rows.empty() ? std::string() : html_table(table);
}

std::string title_of(const fs::path& folder) {
  return text::html(fs::absolute(folder).lexically_normal().filename().string());
}

std::string table_of(const fs::path& file) {
  return fs::exists(file) ? html_table(read_table(file)) : std::string();
}

/// Those that are there, side by side.
std::string batches(const fs::path& folder, std::initializer_list<const char*> names) {
  std::string figures;
  for (const char* name : names) figures += figure(folder / name, name);
  return figures.empty() ? figures : "<div class=\"batches\">\n" + figures + "</div>\n";
}

/// "0.8123 (0.79 to 0.83)".
std::string with_interval(const nlohmann::json& results, const char* name, double value) {
  const auto bootstrap = results.find("bootstrap");
  if (bootstrap == results.end() || !bootstrap->contains(name)) return text::general(value, 4);
  const auto& interval = (*bootstrap)[name];
  return fmt::format("{} ({} to {})", text::general(value, 4),
                     text::general(interval.value("low", 0.0), 4),
                     text::general(interval.value("high", 0.0), 4));
}

std::string headline(const nlohmann::json& results) {
  Table table{{"Figure", "Value"}, {}};
  const auto part = [&](const char* name) { return results.value(name, nlohmann::json::object()); };
  const nlohmann::json coco = part("coco"), official = part("official"), times = part("times_ms");
  const auto number = [](const nlohmann::json& from, const char* name) {
    return from.contains(name) && from[name].is_number() ? from[name].get<double>() : 0.0;
  };
  table.rows = {{"mAP50, COCO", with_interval(results, "map50", number(coco, "map50"))},
                {"mAP, COCO", with_interval(results, "map", number(coco, "map"))},
                {"mAP50, official metric", text::general(number(official, "map50"), 4)},
                {"mAP, official metric", text::general(number(official, "map"), 4)},
                {fmt::format("precision, official metric, at confidence {}",
                             text::general(number(official, "confidence"), 3)),
                 text::general(number(official, "precision"), 4)},
                {"recall, official metric, there", text::general(number(official, "recall"), 4)},
                {"milliseconds an image: waiting, network, suppression",
                 fmt::format("{:.1f}, {:.1f}, {:.1f}", number(times, "pre"),
                             number(times, "inference"), number(times, "nms"))}};
  const auto count = [&](const char* name) {
    return results.value(name, nlohmann::json(0)).dump();
  };
  std::string words = fmt::format(
      "<p>{} images, {} objects, {} predictions above {}; {} px, batches of {}; {}.</p>\n",
      count("pictures"), count("labels"), count("predictions"), count("conf_thres"),
      count("image_size"), count("batch_size"),
      text::html(results.value("detector", std::string("detector not named"))));
  if (results.contains("invalid"))
    words += fmt::format("<p><strong>Invalid: {}</strong></p>\n",
                         text::html(results["invalid"].get<std::string>()));
  return words + html_table(table);
}

}  // namespace

std::string run_report(const fs::path& folder) {
  const Table results = read_table(folder / "results.csv");
  if (results.rows.empty())
    throw Error(fmt::format("{}: expected a row for each epoch, found none",
                            (folder / "results.csv").string()));
  const std::string title = title_of(folder);
  std::string page = page_head(title, "Training run");
  page += section("Result", best_epoch(results));
  page += section("Course", figure(folder / "results.png",
                                   "Losses, learning rates, metrics and speed over the epochs"));
  page += section("Classes", table_of(folder / "per_class.csv"));
  page += section("Final validation",
                  figure(folder / "PR_curve.png", "Precision against recall, IoU 0.5") +
                      figure(folder / "F1_curve.png", "F1 over the confidence threshold") +
                      figure(folder / "confusion_matrix.png",
                             "Confusion matrix, columns are the true classes"));
  page += section(
      "Labels of the training images",
      figure(folder / "labels.png", "Labels per class, boxes, centres, sizes") +
          figure(folder / "labels_correlogram.png", "Centres and sizes against each other"));
  page += section("Batches",
                  batches(folder, {"train_batch0.jpg", "train_batch1.jpg", "train_batch2.jpg",
                                   "test_batch0_labels.jpg", "test_batch0_pred.jpg"}));
  page += section(
      "Epochs", "<details><summary>results.csv</summary>\n" + html_table(results) + "</details>\n");
  page += section("Exported files", exported_files(folder));
  page += section("Configuration", configuration(folder));
  return page + "</body>\n</html>\n";
}

std::string validation_report(const fs::path& folder) {
  const nlohmann::json results = read_json(folder / "results.json");
  if (!results.is_object())
    throw Error(
        fmt::format("{}: expected a JSON object, found none", (folder / "results.json").string()));
  std::string page = page_head(title_of(folder), "Validation");
  page += section("Result", headline(results));
  page += section("Classes", table_of(folder / "per_class.csv"));
  page += section("Thresholds with the best F1 at IoU 0.5", table_of(folder / "thresholds.csv"));
  page += section("Curves",
                  figure(folder / "PR_curve.png", "Precision against recall, IoU 0.5") +
                      figure(folder / "F1_curve.png", "F1 over the confidence threshold") +
                      figure(folder / "P_curve.png", "Precision over the confidence threshold") +
                      figure(folder / "R_curve.png", "Recall over the confidence threshold"));
  page += section("Confusion", figure(folder / "confusion_matrix.png",
                                      "Confusion matrix, columns are the true classes"));
  page += section("Errors", figure(folder / "errors.png",
                                   "What repairing one kind of error would add to the AP"));
  page += section("Calibration",
                  figure(folder / "calibration.png", "Share of right detections over the score"));
  page += section("Objects by size, shape and crowding", table_of(folder / "breakdown.csv"));
  page += section("Images with the most errors",
                  figure(folder / "worst_pictures.jpg",
                         "Missed objects and false detections above the best threshold"));
  page += section("Batches", batches(folder, {"test_batch0_labels.jpg", "test_batch0_pred.jpg",
                                              "test_batch1_labels.jpg", "test_batch1_pred.jpg"}));
  return page + "</body>\n</html>\n";
}

}  // namespace yolov7::monitoring
