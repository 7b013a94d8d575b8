#include "core/json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"

namespace yolov7 {

nlohmann::json parse_json(std::string_view text, const std::string& source, int depth_limit) {
  using json = nlohmann::json;
  const auto guard = [&](int depth, json::parse_event_t event, json&) {
    if (depth > depth_limit && (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start))
      throw Error(fmt::format("{}: expected at most {} nested levels of JSON, found more", source, depth_limit));
    return true;
  };
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  try {
    return json::parse(text.begin(), text.end(), guard);
  } catch (const json::parse_error& error) {
    std::size_t line = 1, column = 1;
    for (std::size_t i = 0; i + 1 < error.byte && i < text.size(); ++i) {
      if (text[i] == '\n') { ++line; column = 1; } else ++column;
    }
    throw Error(fmt::format("{}:{}:{}: expected JSON, found a syntax error", source, line, column));
  } catch (const json::out_of_range&) {
    throw Error(fmt::format("{}: expected JSON, found a number that is too large for any number type", source));
  }
}

nlohmann::json read_json(const std::filesystem::path& path, int depth_limit) {
  return parse_json(file::read(path), path.string(), depth_limit);
}

std::string json_text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace yolov7
