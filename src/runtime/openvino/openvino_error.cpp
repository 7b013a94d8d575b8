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

/// "…failed at src/core/x.cpp:12: reason" → "reason".
std::string_view without_place(std::string_view line) {
  const std::size_t at = line.find(" at src/");
  if (at == std::string_view::npos) return line;
  const std::size_t file = line.find(".cpp:", at), header = line.find(".hpp:", at);
  const std::size_t behind = line.find(':', std::min(file, header) + 5);
  return behind == std::string_view::npos ? std::string_view()
                                          : text::trim(line.substr(behind + 1));
}

}  // namespace

std::string openvino_reason(std::string_view what) {
  std::vector<std::string> kept;
  for (std::string_view line : text::lines(what)) {
    line = text::trim(line);
    if (line.starts_with("Exception from ") || line.starts_with("FrontEnd API failed")) continue;
    if (line.starts_with("Unable to read the model")) line = "no reader of its formats takes it";
    line = without_speaker(line);
    if (line.starts_with("Check '")) line = without_place(line);
    if (!line.empty() && !text::contains(kept, line)) kept.emplace_back(line);
  }
  if (kept.empty()) return "it tells no reason";
  const std::string all = text::join(kept, "; ");
  if (all.size() <= longest) return text::printable(all);
  std::size_t end = longest;  // not inside a character
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return text::printable(all.substr(0, end)) + " ...";
}

}  // namespace yolov7::runtime
