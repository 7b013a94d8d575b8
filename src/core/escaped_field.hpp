#pragma once
// Text as a field of a file whose fields end with tabs and whose records end with line feeds.
#include <string>
#include <string_view>

namespace yolov7::text {

/// Backslash, tab and line feed become \\, \t and \n.
std::string escaped_field(std::string_view field);
/// The other way. A backslash before another character stands for itself.
std::string unescaped_field(std::string_view field);

}  // namespace yolov7::text
