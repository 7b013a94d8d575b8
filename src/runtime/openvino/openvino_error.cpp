#include "runtime/openvino/openvino_error.hpp"

#include <algorithm>
#include <regex>
#include <vector>

#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

constexpr std::size_t longest = 240;

/// "[TensorFlow Frontend] x", "TensorFlow Lite Frontend: x" → "x".
std::string_view without_speaker(std::string_view line) {
  const std::size_t bracket = line.starts_with('[') ? line.find("] ") : std::string_view::npos;
  if (bracket != std::string_view::npos) line.remove_prefix(bracket + 2);
  const std::size_t colon = line.find("Frontend: ");
  if (colon != std::string_view::npos && colon < 32) line.remove_prefix(colon + 10);
  return line;
}

/// Without "Check 'condition' failed at src/core/x.cpp:12:" wherever it stands.
std::string without_places(std::string_view line) {
  std::string all(line);
  static const std::regex place(R"(( failed at src/[^ :]*:\d+:?))");
  for (std::smatch found; std::regex_search(all, found, place);) {
    const auto at = static_cast<std::size_t>(found.position(0));
    const std::size_t begin = all.rfind("Check '", at), end = at + found[0].str().size();
    const std::size_t first = begin == std::string::npos ? at : begin;
    all.erase(first, end - first);
  }
  return std::string(text::trim(all));
}

}  // namespace

std::string openvino_reason(std::string_view what) {
  std::vector<std::string> kept;
  for (std::string_view line : text::lines(what)) {
    line = text::trim(line);
    if (line.starts_with("Exception from ") || line.starts_with("FrontEnd API failed")) continue;
    if (line.starts_with("Unable to read the model"))
      line = "none of OpenVINO's readers accepts this file";
    const std::string reason = without_places(without_speaker(line));
    if (!reason.empty() && !text::contains(kept, reason)) kept.push_back(reason);
  }
  if (kept.empty()) return "OpenVINO gave no reason";
  std::string all;
  for (const std::string& line : kept)
    all += (all.empty() ? "" : all.ends_with(':') ? " " : "; ") + line;
  if (all.size() <= longest) return text::printable(all);
  std::size_t end = longest;  // not inside a character
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return text::printable(all.substr(0, end)) + " ...";
}

}  // namespace yolov7::runtime
