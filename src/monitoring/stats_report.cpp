#include "monitoring/stats_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;

double column_sum(const json& rows, std::size_t column) {
  double sum = 0;
  for (const json& row : rows) sum += row["values"][column].get<double>();
  return sum;
}

/// A figure, and where it is a share of its column, a bar of that length behind it.
std::string cell(double value, double sum, bool share) {
  if (!share || sum <= 0) return "<td>" + text::general(value, 5) + "</td>";
  const double percent = 100 * value / sum;
  return fmt::format(
      "<td style=\"background:linear-gradient(to right,#9cf {0:.1f}%,transparent {0:.1f}%)\">{1} "
      "({0:.1f} %)</td>",
      percent, text::general(value, 7));
}

std::string table(const json& one, const json& columns) {
  const json& rows = one["rows"];
  const bool share = one["counts"].get<bool>();
  std::string out = "<div class=\"wide\"><table><thead><tr><th></th>";
  for (const json& column : columns)
    out += "<th>" + text::html(column.get<std::string>()) + "</th>";
  out += "</tr></thead><tbody>\n";
  std::vector<double> sums;
  for (std::size_t c = 0; c < columns.size(); ++c) sums.push_back(column_sum(rows, c));
  for (const json& row : rows) {
    out += "<tr><td>" + text::html(row["name"].get<std::string>()) + "</td>";
    for (std::size_t c = 0; c < columns.size(); ++c)
      out += cell(row["values"][c].get<double>(), sums[c], share);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string stats_report(const json& result) {
  std::string page =
      page_head(text::html(result["data"].get<std::string>()), "Statistics of the data set");
  std::string advice;
  for (const json& one : result["advice"])
    advice += fmt::format("<p><strong>{}</strong>: {}.</p>\n",
                          text::html(one["topic"].get<std::string>()),
                          text::html(one["text"].get<std::string>()));
  page += section("Advice", advice);
  for (const json& name : result["order"]) {
    const json& one = result["tables"][name.get<std::string>()];
    page += section(text::html(one["title"].get<std::string>()), table(one, result["columns"]));
  }
  return page + "</body>\n</html>\n";
}

}  // namespace yolov7::monitoring
