#include "monitoring/check_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;

constexpr std::size_t most_shown = 100;

std::string shown(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// One row for each object of the list, one column for each key.
Table table_of(const json& list, const std::vector<std::pair<const char*, const char*>>& columns) {
  Table table;
  for (const auto& [key, title] : columns) table.header.emplace_back(title);
  for (const json& one : list) {
    auto& row = table.rows.emplace_back();
    for (const auto& [key, title] : columns)
      row.push_back(one.contains(key) ? shown(one[key]) : std::string());
  }
  return table;
}

std::string splits(const json& result) {
  Table table{{"Split", "Images", "Boxes", "Label files missing", "Empty", "Unusable images",
               "Of kinds that are not read", "In lists, but not there"},
              {}};
  for (const auto& [name, split] : result["splits"].items())
    table.rows.push_back({name, shown(split["pictures"]), shown(split["boxes"]),
                          shown(split["missing"]), shown(split["empty"]), shown(split["corrupt"]),
                          shown(split["unread"]), shown(split["absent"])});
  return html_table(table);
}

std::string classes(const json& result) {
  Table table{{"Class"}, {}};
  for (const auto& [name, split] : result["splits"].items()) {
    table.header.push_back(name);
    const json& list = split["classes"];
    table.rows.resize(std::max(table.rows.size(), list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (table.rows[i].empty()) table.rows[i].push_back(shown(list[i]["name"]));
      table.rows[i].push_back(shown(list[i]["boxes"]));
    }
  }
  return html_table(table);
}

std::string checks(const json& result) {
  Table found = table_of(result["checks"], {{"name", "Check"},
                                            {"severity", "Severity"},
                                            {"findings", "Findings"},
                                            {"summary", "Finds"}});
  const std::string counts =
      fmt::format("<p>{} errors, {} warnings, {} infos.</p>\n", shown(result["errors"]),
                  shown(result["warnings"]), shown(result["infos"]));
  const auto plain = result.value("plain", std::size_t{0});
  const std::string not_compared =
      plain == 0 ? std::string()
                 : fmt::format(
                       "<p>{} images have no structure to compare: only equal pixels were "
                       "looked for.</p>\n",
                       plain);
  return counts + not_compared + html_table(found);
}

std::string causes(const json& result) {
  const json& all = result["causes"];
  std::string out;
  for (const auto& [title, value, evidence] :
       {std::tuple{"Layout of the whole set", shown(all["layout"]), shown(all["layout_evidence"])},
        {"Class numbers",
         all["classes_from_1"].get<bool>() ? std::string("counted from 1") : std::string(),
         shown(all["class_evidence"])}})
    if (!value.empty())
      out += fmt::format("<p><strong>{}: {}.</strong> Evidence: {}.</p>\n", title,
                         text::html(value), text::html(evidence));
  Table files{{"Cause", "Label files"}, {}};
  for (const auto& [cause, count] : all["files"].items())
    files.rows.push_back({cause, shown(count)});
  return out + (files.rows.empty() ? std::string() : html_table(files));
}

std::string findings(const json& result) {
  std::map<std::string, std::vector<const json*>> by_check;
  for (const json& finding : result["findings"]) by_check[finding["check"]].push_back(&finding);
  std::string out;
  for (const json& check : result["checks"]) {
    const auto found = by_check.find(check["name"].get<std::string>());
    if (found == by_check.end()) continue;
    Table table{{"File", "Line", "Found", "Cause"}, {}};
    for (std::size_t i = 0; i < std::min(most_shown, found->second.size()); ++i) {
      const json& one = *found->second[i];
      table.rows.push_back({shown(one["file"]), one.contains("line") ? shown(one["line"]) : "",
                            shown(one["text"]), one.value("cause", std::string())});
    }
    out += fmt::format("<details open><summary><strong>{}</strong> ({}, {}): {}</summary>\n{}",
                       text::html(found->first), shown(check["severity"]), found->second.size(),
                       text::html(shown(check["summary"])), html_table(table));
    if (found->second.size() > most_shown)
      out += fmt::format("<p>And {} more, in the JSON.</p>\n", found->second.size() - most_shown);
    out += "</details>\n";
  }
  return out.empty() ? "<p>None.</p>\n" : out;
}

std::string assignment(const json& result) {
  if (!result.contains("assignment"))
    return "<p>Not looked at: no network was named (--cfg or --weights).</p>\n";
  const json& all = result["assignment"];
  const std::vector<std::pair<const char*, const char*>> columns = {
      {"name", "Boxes of"},
      {"boxes", "Boxes"},
      {"never", "Never assigned"},
      {"seldom", "At less than half of the scales"},
      {"finest_only", "On the finest level only"}};
  std::string out = fmt::format(
      "<p>{} at {} px: an anchor takes a box where no side differs by {} times or more, at a scale "
      "of the training transform of {} to {}.</p>\n",
      text::html(shown(all["network"])), shown(all["image_size"]), shown(all["anchor_t"]),
      shown(all["scales"][0]), shown(all["scales"][1]));
  out += html_table(table_of(json::array({all["all"]}), columns));
  out +=
      html_table(table_of(all["sizes"], columns)) + html_table(table_of(all["classes"], columns));
  if (!all["cures"].empty())
    out += html_table(table_of(all["cures"], {{"cure", "With"},
                                              {"never", "Never assigned"},
                                              {"seldom", "At less than half of the scales"}}));
  return out;
}

/// Crops with their place, the likeliest first.
std::string mistakes(const json& result) {
  if (!result.contains("mistakes")) return {};
  const json& all = result["mistakes"];
  const auto shown_ones =
      std::count_if(all.begin(), all.end(), [](const json& one) { return one.contains("crop"); });
  std::string out = fmt::format(
      "<p>{} labels and predictions disagree; the {} likeliest are shown. The label is green, the "
      "prediction red.</p>\n<div class=\"batches\">\n",
      all.size(), shown_ones);
  for (const json& one : all) {
    if (!one.contains("crop")) break;
    const std::string suggested = shown(one["suggested"]), given = shown(one["given"]);
    out += fmt::format(
        "<figure><img alt=\"\" src=\"data:image/jpeg;base64,{}\"><figcaption>{} ({}): {}{}{}<br>"
        "{}{}</figcaption></figure>\n",
        shown(one["crop"]), text::html(shown(one["kind"])),
        text::general(one["score"].get<double>(), 3), text::html(given),
        suggested.empty() || suggested == given ? "" : " → ",
        suggested == given ? "" : text::html(suggested), text::html(shown(one["image"])),
        one.contains("line") ? ", line " + shown(one["line"]) : "");
  }
  return out + "</div>\n";
}

}  // namespace

std::string check_report(const json& result) {
  std::string page = page_head(text::html(shown(result["data"])), "Check of the data set");
  page += section("Splits", splits(result));
  page += section("Checks", checks(result));
  page += section("Causes", causes(result));
  page += section("Findings", findings(result));
  page += section("What the network can learn", assignment(result));
  page += section("Label mistakes by predictions", mistakes(result));
  page += section("Classes", classes(result));
  return page + "</body>\n</html>\n";
}

}  // namespace yolov7::monitoring
