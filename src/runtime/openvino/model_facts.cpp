#include "runtime/openvino/model_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

std::string shape_text(const std::vector<OutputShape>& outputs) {
  std::vector<std::string> all;
  for (const OutputShape& shape : outputs) {
    std::vector<std::string> sides;
    for (const std::int64_t side : shape) sides.push_back(side < 0 ? "?" : fmt::format("{}", side));
    all.push_back("[" + text::join(sides, ", ") + "]");
  }
  return text::join(all, ", ");
}

/// "" where the shapes are of no layout that we know.
std::string layout_of(const std::vector<OutputShape>& outputs) {
  if (outputs.empty()) return {};
  const OutputShape& first = outputs.front();
  if (first.size() == 5) return "raw";
  if (outputs.size() != 1) return {};
  if (first.size() == 2 && first[1] == 7) return "end2end-ort";
  if (first.size() != 3) return {};
  // A prediction has far more rows than columns; a file that suppresses gives a few hundred rows.
  if (first[2] == 6 && first[1] > 0 && first[1] <= 300) return "nms6";
  if (first[1] > 4 && (first[2] < 0 || first[1] < first[2])) return "v8";
  return first[2] > 5 ? "v5" : "";
}

/// 0: the shapes do not tell.
std::int64_t classes_of(const std::string& layout, const std::vector<OutputShape>& outputs) {
  const OutputShape& first = outputs.front();
  if (layout == "v8") return first[1] - 4;
  if (layout == "v5" || layout == "tf") return first[2] - 5;
  if (layout == "raw") return first[4] - 5;
  return 0;
}

std::size_t sides_of(const std::string& layout) {
  return layout == "raw" ? 5 : layout == "end2end-ort" ? 2 : 3;
}

std::vector<double> numbers(std::string_view text) {
  std::vector<double> all;
  for (const std::string_view piece : text::split(text, ','))
    if (const auto value = text::parse_double(text::trim(piece))) all.push_back(*value);
  return all;
}

std::vector<network::Level> levels_of(const ModelMetadata& metadata) {
  const auto strides = metadata.find("strides"), anchors = metadata.find("anchors");
  if (strides == metadata.end() || anchors == metadata.end()) return {};
  std::vector<network::Level> levels;
  const auto lists = text::split(anchors->second, ';');
  for (const double stride : numbers(strides->second)) {
    if (levels.size() >= lists.size() || !(stride > 0)) return {};
    network::Level level;
    level.stride = stride;
    const std::vector<double> sizes = numbers(lists[levels.size()]);
    for (std::size_t i = 0; i + 1 < sizes.size(); i += 2)
      level.anchors.push_back({sizes[i], sizes[i + 1]});
    levels.push_back(std::move(level));
  }
  return levels;
}

void take_names(const ModelMetadata& metadata, std::int64_t classes, const std::string& source,
                ModelFacts& facts) {
  if (const auto found = metadata.find("names"); found != metadata.end())
    facts.names = parse_names(found->second);
  facts.names_told = !facts.names.empty();
  if (facts.names.empty()) {
    if (classes < 1)
      throw Error(fmt::format(
          "{}: expected class names in the metadata of a model that suppresses, found none",
          source));
    for (std::int64_t i = 0; i < classes; ++i) facts.names.push_back(fmt::format("class{}", i));
    facts.notes.push_back("the file has no class names; class0, class1, ... are used");
  }
  if (classes > 0 && facts.names.size() != static_cast<std::size_t>(classes))
    throw Error(fmt::format("{}: expected {} class names for its outputs, found {}", source,
                            classes, facts.names.size()));
}

/// OpenVINO's Model API says them of what it hands to the network, from B G R images.
void take_preparation(const std::string& fill, const std::string& reversed, ModelFacts& facts) {
  if (const auto value = text::parse_int(fill)) facts.fill = static_cast<int>(*value);
  if (facts.fill != 114)
    facts.notes.push_back(fmt::format(
        "the file wants images filled up with {}; 114 is used, which changes boxes at the border",
        facts.fill));
  const std::string flag = text::lower(reversed);
  facts.rgb = flag.empty() || flag == "true" || flag == "yes" || flag == "1";
  if (!facts.rgb)
    facts.notes.push_back(
        "the file wants B G R images; R G B is used, which changes what it finds");
}

}  // namespace

std::vector<std::string> parse_names(std::string_view text) {
  std::vector<std::string> names;
  text = text::trim(text);
  if (text.size() < 2 || (text.front() != '{' && text.front() != '[')) return {};
  for (std::size_t at = 1; at < text.size(); ++at) {
    const char quote = text[at];
    if (quote != '\'' && quote != '"') continue;
    std::string name;
    for (++at; at < text.size() && text[at] != quote; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      name += text[at];
    }
    if (at >= text.size()) return {};
    // JSON's keys are quoted too: {"0": "person"}
    std::size_t next = at + 1;
    while (next < text.size() && text[next] == ' ') ++next;
    if (next < text.size() && text[next] == ':') continue;
    names.push_back(std::move(name));
  }
  return names;
}

ModelFacts model_facts(const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                       const std::string& source, bool channels_last) {
  ModelFacts facts;
  const auto told = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  facts.layout = told("layout");
  std::string by_shape = layout_of(outputs);
  if (by_shape == "v5" && channels_last) by_shape = "tf";
  if (facts.layout == "end2end-trt")
    throw Error(
        fmt::format("{}: holds TensorRT's suppression, which TensorRT alone runs; export "
                    "with --nms, or without suppression",
                    source));
  if (facts.layout.empty()) {
    if (by_shape.empty())
      throw Error(fmt::format(
          "{}: expected outputs of a detector ([B, N, 5 + classes], [B, 4 + classes, N], a map per "
          "level, or detections), found {}",
          source, shape_text(outputs)));
    facts.layout = by_shape;
    facts.notes.push_back(
        fmt::format("the file does not tell its layout; by the shapes {} it is "
                    "{}",
                    shape_text(outputs), by_shape));
  }
  const std::vector<std::string> known{"v5", "v8", "tf", "raw", "nms6", "end2end-ort"};
  if (!text::contains(known, facts.layout))
    throw Error(fmt::format("{}: expected a layout of {}, found '{}'", source,
                            text::join(known, ", "), text::printable(facts.layout)));
  if (outputs.empty() || outputs.front().size() != sides_of(facts.layout))
    throw Error(fmt::format("{}: expected outputs of the layout {}, found {}", source, facts.layout,
                            shape_text(outputs)));
  take_names(metadata, classes_of(facts.layout, outputs), source, facts);
  if (const auto stride = text::parse_int(told("stride")); stride && *stride > 0)
    facts.stride = static_cast<int>(*stride);
  else
    facts.notes.push_back("the file does not tell its stride; 32 is used");
  take_preparation(told("pad_value"), told("reverse_input_channels"), facts);
  facts.levels = levels_of(metadata);
  if (facts.layout == "raw" && facts.levels.size() != outputs.size())
    throw Error(fmt::format(
        "{}: expected anchors and strides of {} levels in the metadata of raw maps, found {}",
        source, outputs.size(), facts.levels.size()));
  if (facts.layout == "nms6" || facts.layout == "end2end-ort")
    facts.notes.push_back(
        "the file suppresses by itself: the IoU threshold and the kind of suppression have no "
        "effect, boxes below its own score threshold are gone, and val measures less than the "
        "network can");
  const std::string description = told("description");
  facts.description = description.empty() ? facts.layout : description;
  return facts;
}

}  // namespace yolov7::runtime
