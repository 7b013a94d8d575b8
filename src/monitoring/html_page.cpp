#include "monitoring/html_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::monitoring {
namespace {

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

/// Four significant digits where it is a number with more.
std::string shown(const std::string& cell) {
  const auto number = text::parse_double(cell);
  return number && cell.find('.') != std::string::npos ? text::general(*number, 4) : cell;
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

std::optional<std::size_t> Table::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - header.begin()));
}

std::string html_table(const Table& table) {
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (const std::string& name : table.header) out += "<th>" + text::html(name) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += "<td>" + text::html(i < table.names ? row[i] : shown(row[i])) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string figure_of(std::string_view bytes, const char* type, const std::string& words) {
  return fmt::format(
      "<figure><img alt=\"{0}\" "
      "src=\"data:image/{1};base64,{2}\"><figcaption>{0}</figcaption></figure>\n",
      text::html(words), type, base64(bytes));
}

std::string figure(const std::filesystem::path& file, const std::string& words) {
  if (!std::filesystem::exists(file)) return {};
  return figure_of(file::read(file), file.extension() == ".png" ? "png" : "jpeg", words);
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? std::string() : fmt::format("<h2>{}</h2>\n{}", title, content);
}

std::string page_head(const std::string& title, const char* kind, bool script) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src "
      "'unsafe-inline'{3}\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{2} "
      "{0}</h1>\n",
      title, style, kind, script ? "; script-src 'unsafe-inline'" : "");
}

}  // namespace yolov7::monitoring
