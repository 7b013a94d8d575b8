#pragma once
// JSON with limits; the tree is nlohmann::json, whose full header only .cpp files include.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace yolov7 {

/// Errors: syntax (with line and column, and what is known of the fault: NaN, an early end, single
/// quotes, comments, another encoding …), deeper than `depth_limit`.
nlohmann::json parse_json(std::string_view text, const std::string& source, int depth_limit = 100);
nlohmann::json read_json(const std::filesystem::path& path, int depth_limit = 100);
/// Compact or indented, non-finite numbers refused, invalid UTF-8 replaced.
std::string json_text(const nlohmann::json& value, int indent = -1);

}  // namespace yolov7
