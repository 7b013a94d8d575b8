#include "dataset/formats/xml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

/// Whether elements are nested deeper than `levels`; without recursion.
bool deeper_than(const pugi::xml_document& document, int levels) {
  int depth = 0;
  pugi::xml_node node = document;
  while (true) {
    if (const pugi::xml_node child = node.first_child()) {
      node = child;
      if (++depth > levels) return true;
      continue;
    }
    while (!node.next_sibling()) {
      node = node.parent();
      if (!node || --depth <= 0) return false;
    }
    node = node.next_sibling();
  }
}

int first_line_not_utf8(std::string_view xml) {
  int number = 0;
  for (const std::string_view line : text::split(xml, '\n')) {
    ++number;
    if (!text::is_utf8(line)) return number;
  }
  return 0;
}

}  // namespace

LineTable::LineTable(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') ends_.push_back(i);
}

int LineTable::at(std::ptrdiff_t offset) const {
  const auto place = static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
  return 1 + static_cast<int>(std::lower_bound(ends_.begin(), ends_.end(), place) - ends_.begin());
}

int LineTable::of(const pugi::xml_node& node) const { return at(node.offset_debug()); }

void parse_xml(std::string_view xml, const std::string& source, pugi::xml_document& document,
               int most_levels) {
  const pugi::xml_parse_result result = document.load_buffer(xml.data(), xml.size());
  if (!result)
    throw Error(fmt::format("{}:{}: broken XML: {}", source, LineTable(xml).at(result.offset),
                            result.description()));
  if (deeper_than(document, most_levels))
    throw Error(
        fmt::format("{}:1: expected at most {} nested elements, found more", source, most_levels));
  if (result.encoding != pugi::encoding_utf8) return;  // converted from UTF-16 and the like
  if (const int line = first_line_not_utf8(xml); line > 0)
    throw Error(fmt::format("{}:{}: broken XML: text that is not UTF-8", source, line));
}

std::string child_text(const pugi::xml_node& node, const char* name) {
  return std::string(text::trim(node.child(name).text().get()));
}

bool read_number(std::string_view written, double& target) {
  const auto value = text::parse_double(text::trim(written));
  if (!value || !std::isfinite(*value)) return false;
  target = *value;
  return true;
}

int whole_number(std::string_view written) {
  double value = 0;
  return read_number(written, value) && value >= 0 && value < 1e9 ? static_cast<int>(value) : 0;
}

bool is_yes(std::string_view written) {
  const std::string word = text::lower(text::trim(written));
  return word == "1" || word == "true" || word == "yes";
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\n' || c == '\t' || c == '\r')
      out += fmt::format("&#{};", byte);
    else
      out += byte < 0x20 ? '?' : c;
  }
  return out;
}

}  // namespace yolov7::dataset
