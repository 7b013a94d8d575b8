#include "runtime/openvino/model_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "runtime/detect.hpp"

namespace yolov7::runtime {
namespace {

/// Beyond these no detector goes; a file that asks for more would take all memory.
constexpr std::int64_t most_classes = 100'000, largest_stride = 1024;

std::string shape_text(const std::vector<OutputShape>& outputs) {
  std::vector<std::string> all;
  for (const OutputShape& shape : outputs) {
    std::vector<std::string> sides;
    for (const std::int64_t side : shape) sides.push_back(side < 0 ? "?" : fmt::format("{}", side));
    all.push_back("[" + text::join(sides, ", ") + "]");
  }
  return text::join(all, ", ");
}

/// The rows of a file that gives the maps of the levels besides, as official exports of older
/// versions do; else the first output.
std::size_t rows_output(const std::vector<OutputShape>& outputs) {
  std::size_t rows = 0, found = 0, maps = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].size() == 3) rows = i, ++found;
    maps += outputs[i].size() == 5 ? 1 : 0;
  }
  return found == 1 && maps + 1 == outputs.size() ? rows : 0;
}

/// "" where the shapes are of no layout that we know.
std::string layout_of(const std::vector<OutputShape>& outputs) {
  if (outputs.empty()) return {};
  const OutputShape& first = outputs[rows_output(outputs)];
  const bool maps = std::all_of(outputs.begin(), outputs.end(),
                                [](const OutputShape& one) { return one.size() == 5; });
  if (maps) return "raw";
  if (outputs.size() != 1 && rows_output(outputs) == 0 && outputs[1].size() != 5) return {};
  if (first.size() == 2 && first[1] == 7) return "end2end-ort";
  if (first.size() != 3) return {};
  // A prediction has far more rows than columns; a file that suppresses gives a few hundred rows.
  if (first[2] == 6 && first[1] > 0 && first[1] <= 300) return "nms6";
  if (first[1] > 4 && (first[2] < 0 || first[1] < first[2])) return "v8";
  return first[2] > 5 ? "v5" : "";
}

/// 0: the shapes do not tell.
std::int64_t classes_of(const std::string& layout, const OutputShape& output) {
  if (layout == "v8") return output[1] - 4;
  if (layout == "v5" || layout == "tf") return output[2] - 5;
  if (layout == "raw") return output[4] - 5;
  return 0;
}

/// Whether an output can be of this layout; open sides fit.
bool fits(const std::string& layout, const OutputShape& output) {
  const auto side = [&](std::size_t axis, std::int64_t least, std::int64_t most) {
    return output[axis] < 0 || (output[axis] >= least && output[axis] <= most);
  };
  constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
  if (layout == "raw") return output.size() == 5 && side(4, 6, any);
  if (layout == "end2end-ort") return output.size() == 2 && side(1, 7, 7);
  if (output.size() != 3) return false;
  if (layout == "nms6") return side(2, 6, 6);
  return layout == "v8" ? side(1, 5, any) : side(2, 6, any);
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
                const FileSurroundings& more, ModelFacts& facts) {
  bool unusable = false;
  if (const auto found = metadata.find("names"); found != metadata.end())
    facts.names = parse_names(found->second), unusable = facts.names.empty();
  else if (const auto labels = metadata.find("labels"); labels != metadata.end())
    for (const std::string_view one : text::split_blank(labels->second))
      facts.names.emplace_back(one);
  if (!more.names.empty()) {
    if (!facts.names.empty() && facts.names != more.names)
      throw Error(fmt::format("{}: {}: expected the class names of the file ({}), found {}", source,
                              setting_name("names"), text::printable(text::join(facts.names, ", ")),
                              text::printable(text::join(more.names, ", "))));
    facts.names = more.names;
  }
  facts.names_told = !facts.names.empty();
  if (facts.names.empty()) {
    const std::int64_t number = classes > 0 ? classes : more.classes;
    if (number < 1)
      throw Error(
          fmt::format("{}: expected class names in the metadata of a model that "
                      "suppresses, found none; give them with {}",
                      source, setting_name("names")));
    if (number > most_classes)
      throw Error(
          fmt::format("{}: expected at most {} classes, found {}", source, most_classes, number));
    for (std::int64_t i = 0; i < number; ++i) facts.names.push_back(fmt::format("class{}", i));
    facts.notes.push_back(
        fmt::format("{} has {}; class0, class1, ... are used{}", more.subject,
                    unusable ? "class names that are not numbered 0, 1, ..." : "no class names",
                    classes > 0 ? "" : ", as many as its inner shapes tell"));
  }
  if (classes > 0 && facts.names.size() != static_cast<std::size_t>(classes))
    throw Error(fmt::format("{}: expected {} class names for its outputs, found {}", source,
                            classes, facts.names.size()));
}

/// −1: no number of 0 … 1.
double share_of(std::string_view text) {
  const auto value = text::parse_double(text::trim(text));
  return value && *value >= 0 && *value <= 1 ? *value : -1;
}

/// The number behind 'key': in a literal of Python.
double number_behind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) return -1;
  const std::string_view rest = text.substr(at + key.size() + 3);
  return share_of(rest.substr(0, rest.find_first_of(",}")));
}

/// Height and width that the file tells, "[640, 640]" or "640", against those that it takes.
void take_sides(const ModelMetadata& metadata, const std::string& source,
                const FileSurroundings& more, ModelFacts& facts) {
  if (const auto found = metadata.find("imgsz"); found != metadata.end()) {
    std::string_view told = text::trim(found->second);
    if (told.starts_with('[') && told.ends_with(']')) told = told.substr(1, told.size() - 2);
    const std::vector<double> sides = numbers(told);
    if (sides.empty() || !(sides.front() >= 1 && sides.back() >= 1) ||
        sides.front() > longest_input_side || sides.back() > longest_input_side)
      throw Error(fmt::format("{}: imgsz: expected height and width, found '{}'", source,
                              text::printable(found->second.substr(0, 60))));
    const int height = static_cast<int>(sides.front()), width = static_cast<int>(sides.back());
    if (more.input.fixed() && (height != more.input.height || width != more.input.width))
      throw Error(
          fmt::format("{}: expected an input of {} x {} as the metadata tells it (imgsz), "
                      "found {} x {} in the graph",
                      source, width, height, more.input.width, more.input.height));
    facts.image_size = std::max(height, width);
  }
  if (more.input.fixed()) facts.image_size = std::max(more.input.height, more.input.width);
}

/// OpenVINO's Model API says them of what it hands to the network, from B G R images.
void take_preparation(const std::string& fill, const std::string& reversed, ModelFacts& facts) {
  if (const auto value = text::parse_int(fill)) facts.fill = static_cast<int>(*value);
  const std::string flag = text::lower(reversed);
  facts.rgb = flag.empty() || flag == "true" || flag == "yes" || flag == "1";
}

/// What other programs wrote down for the preparation of images, where it is not ours.
void check_preparation(const ModelMetadata& metadata, const std::string& source) {
  struct Rule {
    const char* key;
    std::vector<std::string> ours;
  };
  const Rule rules[] = {{"scale_values", {"255", "255.0", "255 255 255", "255.0 255.0 255.0"}},
                        {"mean_values", {"0", "0.0", "0 0 0", "0.0 0.0 0.0"}},
                        {"resize_type", {"fit_to_window_letterbox"}}};
  for (const Rule& rule : rules) {
    const auto found = metadata.find(rule.key);
    if (found == metadata.end() || text::trim(found->second).empty()) continue;
    const std::string told = text::lower(std::string(text::trim(found->second)));
    if (!text::contains(rule.ours, told))
      throw Error(
          fmt::format("{}: {}: this program prepares images with '{}', the metadata of the "
                      "file asks for '{}'",
                      source, rule.key, rule.ours.front(), text::printable(told)));
  }
}

using NumberedName = std::pair<std::optional<std::int64_t>, std::string>;

/// By the numbers, where all have one: a file may list them in another order (JSON's sorters put
/// "10" before "2"). Nothing where these are not 0 … n − 1.
std::vector<std::string> in_order(std::vector<NumberedName> all) {
  const bool numbered =
      std::all_of(all.begin(), all.end(), [](const auto& one) { return one.first.has_value(); });
  if (numbered)
    std::stable_sort(all.begin(), all.end(), [](const NumberedName& a, const NumberedName& b) {
      return *a.first < *b.first;
    });
  std::vector<std::string> names;
  for (NumberedName& one : all) {
    if (numbered && *one.first != static_cast<std::int64_t>(names.size())) return {};
    names.push_back(std::move(one.second));
  }
  return names;
}

}  // namespace

std::vector<std::string> parse_names(std::string_view text) {
  std::vector<NumberedName> names;
  text = text::trim(text);
  if (text.size() < 2 || (text.front() != '{' && text.front() != '[')) return {};
  std::string key;  // what stands in front of a name's colon
  for (std::size_t at = 1; at < text.size(); ++at) {
    const char quote = text[at];
    if (quote != '\'' && quote != '"') {
      if (quote == ',')
        key.clear();
      else if (quote != ':')
        key += quote;
      continue;
    }
    std::string name;
    for (++at; at < text.size() && text[at] != quote; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      name += text[at];
    }
    if (at >= text.size()) return {};
    // JSON's keys are quoted too: {"0": "person"}
    std::size_t next = at + 1;
    while (next < text.size() && text[next] == ' ') ++next;
    if (next < text.size() && text[next] == ':') {
      key = std::move(name);
      continue;
    }
    names.emplace_back(text::parse_int(text::trim(key)), std::move(name));
    key.clear();
  }
  return in_order(std::move(names));
}

namespace {

/// As the metadata tells it, or by the shapes, which a note says then.
void take_layout(const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                 const std::string& source, const FileSurroundings& more, ModelFacts& facts) {
  if (const auto told = metadata.find("layout"); told != metadata.end())
    facts.layout = told->second;
  if (facts.layout == "end2end-trt")
    throw Error(
        fmt::format("{}: holds TensorRT's suppression, which TensorRT alone runs; export "
                    "with --nms, or without suppression",
                    source));
  if (facts.layout.empty()) {
    facts.layout = layout_of(outputs);
    if (facts.layout.empty())
      throw Error(fmt::format(
          "{}: expected outputs of a detector ([B, N, 5 + classes], [B, 4 + classes, N], a map per "
          "level, or detections), found {}",
          source, shape_text(outputs)));
    if (facts.layout == "v5" && more.channels_last) facts.layout = "tf";
    facts.shares = facts.layout == "v8" && more.channels_last;
    facts.notes.push_back(fmt::format("{} does not tell its layout; by the shapes {} it is {}{}",
                                      more.subject, shape_text(outputs), facts.layout,
                                      facts.shares ? ", with boxes in shares of the image" : ""));
  }
  const std::vector<std::string> known{"v5", "v8", "tf", "raw", "nms6", "end2end-ort"};
  if (!text::contains(known, facts.layout))
    throw Error(fmt::format("{}: expected a layout of {}, found '{}'", source,
                            text::join(known, ", "), text::printable(facts.layout)));
  facts.shares = facts.shares || facts.layout == "tf";
  facts.output = rows_output(outputs);
  if (outputs.empty() || !fits(facts.layout, outputs[facts.output]))
    throw Error(fmt::format("{}: expected outputs of the layout {}, found {}", source, facts.layout,
                            shape_text(outputs)));
  if (facts.layout != "raw" && outputs.size() > 1)
    facts.notes.push_back(
        fmt::format("of its {} outputs the boxes are read, the maps of the levels "
                    "are not",
                    outputs.size()));
}

}  // namespace

ModelFacts model_facts(const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                       const std::string& source, const FileSurroundings& more) {
  ModelFacts facts;
  const auto told = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  take_layout(metadata, outputs, source, more, facts);
  take_names(metadata, classes_of(facts.layout, outputs[facts.output]), source, more, facts);
  take_sides(metadata, source, more, facts);
  take_preparation(told("pad_value"), told("reverse_input_channels"), facts);
  facts.wanted_conf_thres = share_of(told("confidence_threshold"));
  facts.wanted_iou_thres = share_of(told("iou_threshold"));
  check_preparation(metadata, source);
  if (const auto stride = text::parse_int(told("stride")); stride && *stride > 0) {
    if (*stride > largest_stride)
      throw Error(
          fmt::format("{}: stride: expected 1 ... {}, found {}", source, largest_stride, *stride));
    facts.stride = static_cast<int>(*stride);
    if (more.input.fixed() &&
        (more.input.height % facts.stride != 0 || more.input.width % facts.stride != 0))
      throw Error(
          fmt::format("{}: expected an input with sides that are multiples of the stride {} "
                      "that the metadata tells, found {} x {} in the graph",
                      source, facts.stride, more.input.width, more.input.height));
  } else if (more.input.fixed()) {
    // The sides are the file's; no other ones come.
    facts.stride = std::gcd(std::gcd(more.input.height, more.input.width), 32);
  } else {
    facts.notes.push_back(fmt::format("{} does not tell its stride; 32 is used", more.subject));
  }
  facts.levels = levels_of(metadata);
  if (facts.layout == "raw" && facts.levels.size() != outputs.size())
    throw Error(
        fmt::format("{}: expected anchors and strides of {} levels in the metadata of raw "
                    "maps, found {}; export with --grid, so that boxes are decoded in the "
                    "file",
                    source, outputs.size(), facts.levels.size()));
  if (facts.layout == "nms6" || facts.layout == "end2end-ort") {
    facts.conf_thres = number_behind(told("args"), "conf_thres");
    facts.iou_thres = number_behind(told("args"), "iou_thres");
    facts.notes.push_back(fmt::format(
        "{} suppresses by itself: the IoU threshold and the kind of suppression have no effect, "
        "boxes below its own score threshold are gone, and val measures less than the network can",
        more.subject));
  }
  const std::string description = told("description");
  facts.description = description.empty() ? facts.layout : description;
  return facts;
}

}  // namespace yolov7::runtime
