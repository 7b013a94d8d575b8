#include "network/graph/diagram.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace yolov7::network {
namespace {

constexpr int row_height = 30, box_height = 22, box_width = 470, left = 20, top = 64,
              lane_width = 9;

/// Colours that differ for the colour-blind too (Okabe and Ito), light enough for black text.
struct Family {
  const char *name, *colour;
};
Family family(const Layer& layer) {
  const auto holds = [&](const char* part) { return layer.block.find(part) != std::string::npos; };
  if (layer.output_value < 0) return {"head", "#e8a076"};
  if (holds("Concat") || holds("Shortcut")) return {"concatenation, sum", "#d9d9d9"};
  if (holds("Upsample")) return {"up-sampling", "#a9d9f2"};
  if (layer.block == "MP" || layer.block == "SP" || holds("ReOrg") || holds("DownC"))
    return {"down-sampling, pooling", "#f3cf7c"};
  if (holds("SPP")) return {"pyramid pooling", "#8fd0b8"};
  if (holds("CSP") || holds("Bottleneck") || holds("Res") || holds("Stem"))
    return {"stage", "#e3b8cf"};
  return {"convolution", "#9fc5e8"};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text::printable(std::string(text))) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text::printable(std::string(text)))
    out += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

std::string title(const Layer& layer) {
  std::string arguments =
      layer.arguments.size() > 40 ? layer.arguments.substr(0, 40) + "…" : layer.arguments;
  return fmt::format("{}  {}{}{}{}", layer.index,
                     layer.repeats > 1 ? fmt::format("{} x ", layer.repeats) : "", layer.block,
                     arguments.empty() ? "" : " [" + arguments + "]",
                     layer.attention.empty() ? "" : " + sam " + layer.attention);
}

std::string shape(const Layer& layer, const Cost& cost) {
  if (layer.output_value < 0) return "";
  const ValueSize& size = cost.layer_sizes[static_cast<std::size_t>(layer.index)];
  return fmt::format("{} x {} x {}", size.channels, size.height, size.width);
}

/// An arrow past other layers, in the innermost lane that is free from its source to its target.
struct Route {
  int from = 0, to = 0, lane = 0;
};

std::vector<Route> routes(const Network& network) {
  std::vector<Route> result;
  for (const Layer& layer : network.layers)
    for (const int input : layer.inputs)
      if (input >= 0 && input != layer.index - 1) result.push_back({input, layer.index, 0});
  std::sort(result.begin(), result.end(),
            [](const Route& a, const Route& b) { return a.to - a.from < b.to - b.from; });
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto taken = [&](int lane) {
      return std::any_of(
          result.begin(), result.begin() + static_cast<std::ptrdiff_t>(i), [&](const Route& r) {
            return r.lane == lane && r.from <= result[i].to && result[i].from <= r.to;
          });
    };
    while (taken(result[i].lane)) ++result[i].lane;
  }
  return result;
}

std::string route_svg(const Route& route) {
  const int right = left + box_width, x = right + 14 + route.lane * lane_width;
  const int y1 = top + route.from * row_height + box_height / 2 + 4,
            y2 = top + route.to * row_height + box_height / 2 - 4;
  return fmt::format(
      "<path d=\"M{0} {2} H{1} V{3} H{0}\" fill=\"none\" stroke=\"#555\" "
      "marker-end=\"url(#tip)\"/>\n",
      right, x, y1, y2);
}

std::string box_svg(const Layer& layer, const Cost& cost) {
  const int y = top + layer.index * row_height;
  std::string out = fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{}\" stroke=\"#333\" "
      "stroke-width=\"0.6\"/>\n",
      left, y, box_width, box_height, family(layer).colour);
  out +=
      fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", left + 8, y + 15, escaped(title(layer)));
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                     left + box_width - 8, y + 15, escaped(shape(layer, cost)));
  const bool straight =
      std::find(layer.inputs.begin(), layer.inputs.end(), layer.index - 1) != layer.inputs.end();
  if (straight && layer.index > 0)
    out += fmt::format("<path d=\"M{0} {1} V{2}\" stroke=\"#555\" marker-end=\"url(#tip)\"/>\n",
                       left + box_width / 2, y - row_height + box_height, y - 1);
  return out;
}

std::string legend_svg(const Network& network) {
  std::string out;
  std::vector<std::string> shown;
  int x = left;
  for (const Layer& layer : network.layers) {
    const Family kind = family(layer);
    if (std::find(shown.begin(), shown.end(), kind.name) != shown.end()) continue;
    shown.emplace_back(kind.name);
    out += fmt::format(
        "<rect x=\"{}\" y=\"36\" width=\"10\" height=\"10\" fill=\"{}\" stroke=\"#333\" "
        "stroke-width=\"0.6\"/><text x=\"{}\" y=\"45\" font-size=\"10\">{}</text>\n",
        x, kind.colour, x + 14, kind.name);
    x += 26 + static_cast<int>(shown.back().size()) * 6;
  }
  return out;
}

}  // namespace

std::string dot_diagram(const Network& network, const Cost& cost) {
  std::string out = fmt::format(
      "digraph network {{\n  label={};\n  node [shape=box, style=filled, "
      "fontname=\"Helvetica\"];\n",
      dot_text(network.source));
  for (const Layer& layer : network.layers) {
    const std::string size = shape(layer, cost);
    out += fmt::format("  l{} [label={}, fillcolor=\"{}\"];\n", layer.index,
                       dot_text(size.empty() ? title(layer) : title(layer) + " -> " + size),
                       family(layer).colour);
    for (const int input : layer.inputs)
      if (input >= 0) out += fmt::format("  l{} -> l{};\n", input, layer.index);
  }
  return out + "}\n";
}

std::string svg_diagram(const Network& network, const Cost& cost) {
  const std::vector<Route> arrows = routes(network);
  int lanes = 0;
  for (const Route& route : arrows) lanes = std::max(lanes, route.lane + 1);
  const int width = std::max(left + box_width + 30 + lanes * lane_width, 640),
            height = top + static_cast<int>(network.layers.size()) * row_height + 10;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n",
      width, height);
  out +=
      "<defs><marker id=\"tip\" markerWidth=\"7\" markerHeight=\"7\" refX=\"6\" refY=\"3\" "
      "orient=\"auto\"><path d=\"M0 0 L6 3 L0 6 z\" fill=\"#555\"/></marker></defs>\n";
  out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>\n", width, height);
  out += fmt::format(
      "<text x=\"{}\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{}: {} layers, {} parameters, "
      "{:.1f} GFLOPs at {} x {}</text>\n",
      left, escaped(network.source), network.layers.size(), cost.parameters, cost.flops.gflops,
      cost.picture_width, cost.picture_height);
  out += legend_svg(network);
  for (const Route& route : arrows) out += route_svg(route);
  for (const Layer& layer : network.layers) out += box_svg(layer, cost);
  return out + "</svg>\n";
}

}  // namespace yolov7::network
