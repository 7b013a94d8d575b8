#include "core/escaped_field.hpp"

namespace yolov7::text {

std::string escaped_field(std::string_view field) {
  if (field.find_first_of("\t\n\\") == std::string_view::npos) return std::string(field);
  std::string out;
  for (const char c : field) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string unescaped_field(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size())
      out += field[i];
    else if (field[++i] == 't')
      out += '\t';
    else
      out += field[i] == 'n' ? '\n' : '\\';
  }
  return out;
}

}  // namespace yolov7::text
