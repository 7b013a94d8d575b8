#include "monitoring/compress_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;

std::string number(const json& value, const char* form) {
  return value.is_number() ? fmt::format(fmt::runtime(form), value.get<double>())
                           : std::string("–");
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string paragraph(const std::string& words) { return "<p>" + text::html(words) + "</p>\n"; }

std::string choice(const json& result) {
  std::string out =
      paragraph((result["kept"].get<bool>() ? std::string("Chosen: ") : std::string("None: ")) +
                text_of(result["reason"]));
  if (!result["chosen"].is_null())
    out += "<pre>" + text::html(text_of(result["chosen"]["command"])) + "</pre>\n";
  out += paragraph(fmt::format(
      "Budget: {} mAP, on {} images with {} labels of the {} split. The candidates were chosen on "
      "these images, and pruned networks keep the epoch that is best on val: the figures of the "
      "chosen one are a little too good.",
      number(result["budget"], "{:g}"), result["images"].dump(), result["labels"].dump(),
      text_of(result["split"])));
  if (result["held_out"].is_null()) return out + paragraph("No other split was measured.");
  const json &other = result["held_out"], &change = other["map_change"];
  return out + paragraph(fmt::format(
                   "On the {} split, which took no part ({} images): mAP {}, the parent {}, change "
                   "{} ({} to {}): {}.",
                   text_of(other["split"]), other["images"].dump(), number(other["map"], "{:.4f}"),
                   number(other["parent_map"], "{:.4f}"), number(change["value"], "{:+.4f}"),
                   number(change["low"], "{:+.4f}"), number(change["high"], "{:+.4f}"),
                   other["keeps_budget"].get<bool>() ? "within the budget" : "over the budget"));
}

std::string candidates(const json& result) {
  Table table{
      {"Network", "Numbers", "Chosen", "MB", "Parameters", "ms, least", "ms, median", "Images/s",
       "mAP50", "mAP", "Interval", "Change", "Interval of the change", "Within the budget"},
      {}};
  std::string missing;
  for (const json& one : result["candidates"]) {
    if (!one["missing"].get<std::string>().empty()) {
      missing += paragraph(fmt::format("{} in {}: {}.", text_of(one["network"]),
                                       text_of(one["numbers"]), text_of(one["missing"])));
      continue;
    }
    const json &map = one["map"], &change = one["map_change"], &ms = one["latency_ms"];
    table.rows.push_back(
        {text_of(one["network"]), text_of(one["numbers"]), one.value("chosen", false) ? "yes" : "",
         number(one["bytes"].get<double>() / 1e6, "{:.2f}"),
         one.contains("parameters") ? one["parameters"].dump() : "", number(ms["least"], "{:.3f}"),
         number(ms["median"], "{:.3f}"), number(one["images_per_second"], "{:.1f}"),
         number(one["map50"], "{:.4f}"), number(map["value"], "{:.4f}"),
         number(map["low"], "{:.4f}") + " to " + number(map["high"], "{:.4f}"),
         number(change["value"], "{:+.4f}"),
         number(change["low"], "{:+.4f}") + " to " + number(change["high"], "{:+.4f}"),
         one["keeps_budget"].get<bool>() ? "yes" : "no"});
  }
  return html_table(table) + missing;
}

/// One row a class, one column a candidate.
std::string classes(const json& result) {
  Table table{{"Class"}, {}};
  for (const json& one : result["candidates"]) {
    if (!one.contains("classes")) continue;
    table.header.push_back(text_of(one["network"]) + ", " + text_of(one["numbers"]));
    const json& list = one["classes"];
    table.rows.resize(std::max(table.rows.size(), list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (table.rows[i].empty()) table.rows[i].push_back(text_of(list[i]["name"]));
      table.rows[i].push_back(number(list[i]["ap"], "{:.4f}"));
    }
  }
  return html_table(table);
}

std::string advice(const json& result) {
  std::string out;
  for (const json& line : result["advice"]) out += paragraph(text_of(line) + ".");
  return out;
}

std::string stages(const json& result) {
  Table table{{"Stage", "Seconds", "Answer", "Command"}, {}};
  for (const json& one : result["stages"])
    table.rows.push_back({text_of(one["stage"]), number(one["seconds"], "{:.1f}"),
                          text_of(one["refused"]), text_of(one["command"])});
  return html_table(table);
}

std::string machine(const json& result) {
  const json& m = result["machine"];
  return paragraph(fmt::format(
      "{}, {} usable cores. Times: one image of {} px on {} threads ({}); least and median of "
      "calls "
      "by turns over all candidates. Images a second: all cores at work, by turns too, on the "
      "clock.",
      text_of(m["processor"]), m["usable_cores"].dump(), result["img_size"].dump(),
      m["threads"].dump(), text_of(m["times"])));
}

}  // namespace

std::string compress_report(const json& result) {
  std::string page = page_head(text::html(text_of(result["weights"])), "Compression of");
  page += section("Choice", choice(result));
  page += section("Candidates", candidates(result));
  page += section("8-bit integers next to bfloat16", advice(result));
  page += section("AP by class", classes(result));
  page += section("Stages", stages(result));
  page += section("Machine", machine(result));
  return page + "</body>\n</html>\n";
}

}  // namespace yolov7::monitoring
