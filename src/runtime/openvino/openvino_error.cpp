#include "runtime/openvino/openvino_error.hpp"

#include <algorithm>
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
  for (std::size_t at; (at = all.find(" failed at src/")) != std::string::npos;) {
    const std::size_t begin = all.rfind("Check '", at), file = all.find("pp:", at),
                      end = file == std::string::npos ? file : all.find(':', file + 3);
    const std::size_t first = begin == std::string::npos ? at : begin;
    all.erase(first, end == std::string::npos ? end : end + 1 - first);
  }
  return std::string(text::trim(all));
}

}  // namespace

std::string openvino_reason(std::string_view what) {
  std::vector<std::string> kept;
  for (std::string_view line : text::lines(what)) {
    line = text::trim(line);
    if (line.starts_with("Exception from ") || line.starts_with("FrontEnd API failed")) continue;
    if (line.starts_with("Unable to read the model")) line = "no reader of its formats takes it";
    const std::string reason = without_places(without_speaker(line));
    if (!reason.empty() && !text::contains(kept, reason)) kept.push_back(reason);
  }
  if (kept.empty()) return "it tells no reason";
  const std::string all = text::join(kept, "; ");
  if (all.size() <= longest) return text::printable(all);
  std::size_t end = longest;  // not inside a character
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return text::printable(all.substr(0, end)) + " ...";
}

}  // namespace yolov7::runtime
