#pragma once
// XML of strangers: bounded nesting, lines of elements. Nothing outside the text is ever read (no
// DTD, no entities of its own).
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

namespace yolov7::dataset {

/// Line numbers of offsets.
class LineTable {
 public:
  explicit LineTable(std::string_view text);
  int at(std::ptrdiff_t offset) const;  ///< from 1
  int of(const pugi::xml_node& node) const;

 private:
  std::vector<std::size_t> ends_;
};

/// Errors name `source`, the line and the reason: not XML, nested too deep, text that is not UTF-8.
void parse_xml(std::string_view xml, const std::string& source, pugi::xml_document& document,
               int most_levels = 100);

/// Trimmed text of a child; "" if absent.
std::string child_text(const pugi::xml_node& node, const char* name);
/// The number of a child or attribute; nothing if it is none, or not finite.
bool read_number(std::string_view written, double& target);
/// A whole number in 0 … 1e9, else 0.
int whole_number(std::string_view written);
/// "1", "true", "yes", any case.
bool is_yes(std::string_view written);

/// Text as XML: & < > " and control characters that XML allows as entities; others as "?".
std::string xml_text(std::string_view text);

}  // namespace yolov7::dataset
