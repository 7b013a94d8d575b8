#include "core/json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"

namespace yolov7 {

namespace {

/// Looked at beforehand: a callback of the parser makes it walk an array again for each object in
/// it.
bool deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else
        quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& source, int depth_limit) {
  using json = nlohmann::json;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (deeper_than(text, depth_limit))
    throw Error(fmt::format("{}: expected at most {} nested levels of JSON, found more", source,
                            depth_limit));
  try {
    return json::parse(text.begin(), text.end());
  } catch (const json::parse_error& error) {
    std::size_t line = 1, column = 1;
    for (std::size_t i = 0; i + 1 < error.byte && i < text.size(); ++i) {
      if (text[i] == '\n') {
        ++line;
        column = 1;
      } else
        ++column;
    }
    throw Error(fmt::format("{}:{}:{}: expected JSON, found a syntax error", source, line, column));
  } catch (const json::out_of_range&) {
    throw Error(fmt::format(
        "{}: expected JSON, found a number that is too large for any number type", source));
  }
}

nlohmann::json read_json(const std::filesystem::path& path, int depth_limit) {
  return parse_json(file::read(path), path.string(), depth_limit);
}

std::string json_text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace yolov7
