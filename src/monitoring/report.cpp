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

namespace yolov7::monitoring {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view style =
    "body{font:16px/1.5 "
    "system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:1200px;margin:2rem "
    "auto;padding:0 1rem}"
    "h1,h2{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}figure{margin:1rem "
    "0}img{max-width:100%;height:auto;border:1px solid #ddd}"
    "figcaption{color:#444}table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem "
    ".75rem;border-bottom:1px solid #ddd;text-align:right;font-variant-numeric:tabular-nums}"
    "th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid "
    "#888}.wide{overflow-x:auto}.batches{display:grid;grid-template-columns:repeat(auto-fit,minmax("
    "260px,1fr));gap:1rem}"
    "summary{cursor:pointer}code,pre{font-size:.9em}@media print{details{display:none}}";

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

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  std::optional<std::size_t> column(std::string_view name) const {
    const auto found = std::find(header.begin(), header.end(), name);
    return found == header.end() ? std::nullopt
                                 : std::optional(static_cast<std::size_t>(found - header.begin()));
  }
};

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

/// Four significant digits where it is a number with more.
std::string shown(const std::string& cell) {
  const auto number = text::parse_double(cell);
  return number && cell.find('.') != std::string::npos ? text::general(*number, 4) : cell;
}

std::string html_table(const Table& table) {
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (const std::string& name : table.header) out += "<th>" + text::html(name) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + text::html(shown(cell)) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

/// The picture itself in the page; nothing where the run has none.
std::string figure(const fs::path& file, const std::string& words) {
  if (!fs::exists(file)) return {};
  const char* type = file.extension() == ".png" ? "png" : "jpeg";
  return fmt::format(
      "<figure><img alt=\"{0}\" "
      "src=\"data:image/{1};base64,{2}\"><figcaption>{0}</figcaption></figure>\n",
      text::html(words), type, base64(file::read(file)));
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? std::string() : fmt::format("<h2>{}</h2>\n{}", title, content);
}

/// The epoch of the best fitness, the last one where several have it, as best.pt.
std::string best_epoch(const Table& results) {
  const auto fitness = results.column("fitness"), epoch = results.column("epoch");
  if (!fitness || !epoch) return {};
  const std::vector<std::string>* best = nullptr;
  double most = -1;
  for (const auto& row : results.rows) {
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

/// Up to and with the first heading. The policy: nothing is loaded from anywhere, no script runs,
/// whatever a class is called.
std::string page_head(const std::string& title, const char* kind) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src "
      "'unsafe-inline'\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{2} "
      "{0}</h1>\n",
      title, style, kind);
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

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return k < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k]))
                              : 0U;
    };
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int k = 0; k < 4; ++k)
      out += i + static_cast<std::size_t>(k) <= bytes.size() ? alphabet[group >> (18 - 6 * k) & 63]
                                                             : '=';
  }
  return out;
}

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
