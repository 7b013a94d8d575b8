#include "cli/verbs/detect_report.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.hpp"

namespace yolov7::cli {

using runtime::DetectResult;
using runtime::DetectTiming;
using runtime::Frame;
using runtime::FrameKind;

std::string counted(std::size_t n, const std::string& name) {
  return fmt::format("{} {}{}", n, name, n == 1 ? "" : "s");
}

std::string counts_text(const std::vector<Detection>& detections,
                        const std::vector<std::string>& names) {
  std::map<int, std::size_t> counts;
  for (const Detection& detection : detections) ++counts[detection.class_index];
  std::string out;
  for (const auto& [index, count] : counts)
    out += fmt::format("{} × {}, ", count, names.at(static_cast<std::size_t>(index)));
  return out;
}

nlohmann::json to_json(const DetectResult& result, const Frame& frame,
                       const std::vector<std::string>& names) {
  nlohmann::json boxes = nlohmann::json::array();
  for (const Detection& d : result.detections) {
    boxes.push_back({{"class", d.class_index},
                     {"name", names.at(static_cast<std::size_t>(d.class_index))},
                     {"score", d.score},
                     {"xyxy", {d.box.x1, d.box.y1, d.box.x2, d.box.y2}}});
    if (d.track > 0) boxes.back()["track"] = d.track;
  }
  const DetectTiming& t = result.timing;
  nlohmann::json one{
      {"path", frame.origin->name},
      {"width", frame.bgr.cols},
      {"height", frame.bgr.rows},
      {"input_width", result.input.width},
      {"input_height", result.input.height},
      {"highest_score", result.highest_score},
      {"detections", std::move(boxes)},
      {"milliseconds",
       {{"pre", t.pre}, {"inference", t.inference}, {"post", t.post}, {"compile", t.compile}}}};
  if (frame.origin->kind == FrameKind::video)
    one["frame"] = frame.number, one["seconds"] = frame.seconds;
  return one;
}

std::string prefix_of(const Frame& frame) {
  const runtime::FrameOrigin& origin = *frame.origin;
  if (origin.kind == FrameKind::stream) return fmt::format("{}: ", origin.number);
  if (origin.kind == FrameKind::picture)
    return fmt::format("image {}/{} {}: ", origin.number, origin.of, origin.name);
  return fmt::format("video {}/{} ({}/{}) {}: ", origin.number, origin.of, frame.number,
                     origin.frames > 0 ? fmt::format("{}", origin.frames) : "?", origin.name);
}

std::string not_finite_text(const DetectResult& result) {
  if (!result.nothing_finite())
    return fmt::format("{} of {} rows of the prediction are not finite and are left out",
                       result.dropped_not_finite, result.rows);
  return fmt::format(
      "no result: expected finite numbers from the network, found NaN or infinity in all {} rows "
      "of its prediction",
      result.rows);
}

nlohmann::json not_finite_json(const DetectResult& result, const Frame& frame) {
  nlohmann::json one{{"path", frame.origin->name},
                     {"rows_not_finite", result.dropped_not_finite},
                     {"rows", result.rows}};
  if (frame.origin->kind == FrameKind::video) one["frame"] = frame.number;
  return one;
}

void DetectCounts::add(const DetectResult& result, const Frame& frame) {
  const DetectTiming& t = result.timing;
  timing = {timing.pre + t.pre, timing.inference + t.inference, timing.post + t.post,
            timing.compile + t.compile};
  ++frames;
  objects += result.detections.size();
  truncated += frame.rows.whole() ? 0 : 1;
  with_further += frame.further > 0 ? 1 : 0;
  at_max_det += result.at_max_det ? 1 : 0;
  beyond_max_nms += result.beyond_max_nms > 0 ? 1 : 0;
}

std::vector<std::string> DetectCounts::warnings(const NmsOptions& nms,
                                                const std::string& frame) const {
  std::vector<std::string> lines;
  if (truncated > 0)
    lines.push_back(fmt::format("{} used although the end of the file is missing",
                                counted(truncated, "image")));
  if (with_further > 0)
    lines.push_back(fmt::format("{} {} further ones, which are not looked at",
                                counted(with_further, "image"),
                                with_further == 1 ? "holds" : "hold"));
  if (at_max_det > 0)
    lines.push_back(
        fmt::format("in {} the limit --max-det {} is reached; there may be more objects",
                    counted(at_max_det, frame), nms.max_det));
  if (beyond_max_nms > 0)
    lines.push_back(fmt::format(
        "in {} more boxes than --max-nms {} exceed the threshold; those of the lowest scores are "
        "left out",
        counted(beyond_max_nms, frame), nms.max_nms));
  return lines;
}

std::string options_line(const Settings& table, const std::string& source) {
  std::vector<std::string> parts;
  for (const Setting& entry : table.entries)
    if (entry.has_effect())
      parts.push_back(fmt::format(
          "{}={}", entry.name,
          entry.name == "source" ? runtime::without_credentials(source) : entry.text()));
  return "detect: " + text::join(parts, ", ");
}

std::string stream_line(const runtime::StreamCounters& one) {
  return fmt::format(
      "{}: {} frames received, {} looked at, {} replaced by newer ones; {} connections, {} "
      "failures{}, {} damaged packets",
      one.name, one.received, one.delivered, one.dropped, one.connections, one.failures,
      one.last_failure.empty() ? "" : " (last: " + one.last_failure + ")", one.damaged);
}

nlohmann::json to_json(const std::vector<runtime::StreamCounters>& streams) {
  nlohmann::json all = nlohmann::json::array();
  for (const runtime::StreamCounters& one : streams)
    all.push_back({{"name", one.name},
                   {"received", one.received},
                   {"delivered", one.delivered},
                   {"dropped", one.dropped},
                   {"connections", one.connections},
                   {"failures", one.failures},
                   {"damaged", one.damaged},
                   {"last_failure", one.last_failure}});
  return all;
}

}  // namespace yolov7::cli
