#pragma once
// JSON with limits; the tree is nlohmann::json, whose full header only .cpp files include.
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace yolov7 {

/// Errors: syntax (with line and column, and what is known of the fault: NaN, an early end, single
/// quotes, comments, another encoding …), deeper than `depth_limit`.
nlohmann::json parse_json(std::string_view text, const std::string& source, int depth_limit = 100);
/// A large document piece by piece, so that its tree is never whole in memory. An object hands out
/// the elements of those of its members that are arrays, each with the member's name, and its other
/// members; an array hands out its elements with an empty name. Errors as in parse_json(), after
/// the pieces before them; and a document that is neither.
void stream_json(std::string_view text, const std::string& source,
                 const std::function<void(const std::string& member, nlohmann::json& piece)>& each,
                 int depth_limit = 100);
nlohmann::json read_json(const std::filesystem::path& path, int depth_limit = 100);
/// Compact or indented, non-finite numbers refused, invalid UTF-8 replaced.
std::string json_text(const nlohmann::json& value, int indent = -1);

}  // namespace yolov7
