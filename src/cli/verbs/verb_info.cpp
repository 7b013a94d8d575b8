// yolov7 info: what a network or a checkpoint is, and what it costs. Neither OpenVINO nor LibTorch
// is loaded.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_facts.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/diagram.hpp"
#include "network/graph/finite_weights.hpp"

namespace yolov7::cli {
namespace {

struct InfoOptions {
  std::string cfg;
  std::string weights;
  std::string graph;
  int nc = 0, img_size = 0;
};

Settings settings(InfoOptions& o) {
  return Settings{
      "info",
      {
          setting("cfg", o.cfg, "network configuration: a file, or the name of a built-in one")
              .positional(),
          setting("weights", o.weights, "checkpoint"),
          setting("nc", o.nc, "number of classes; 0 = as configured").range(0, 100000),
          setting(
              "img-size", o.img_size,
              "side of a square image in pixels; 0 = 640, or what the checkpoint was trained at")
              .range(0, 65535),
          setting("graph", o.graph, "draw the network into this file: .svg, or .dot for Graphviz"),
      }};
}

/// What is shown: a network and, from a checkpoint, what else it holds.
struct Subject {
  network::Network network;
  std::vector<std::string> classes;
  int image_size = 640;
  nlohmann::json checkpoint;  ///< null for a configuration
};

Subject open_checkpoint(const InfoOptions& options) {
  if (options.nc > 0)
    throw usage_error(
        "info: --nc changes a configuration; the class count of a checkpoint is fixed");
  const network::Checkpoint checkpoint = network::read_checkpoint(options.weights);
  Subject subject;
  subject.network = checkpoint.build_network();
  network::check(subject.network, checkpoint.inference_weights());
  if (const std::string fault = network::finite_fault(checkpoint.inference_weights());
      !fault.empty())
    log::warning(options.weights + ": " + fault);
  subject.classes = checkpoint.names;
  subject.image_size = checkpoint.image_size;
  subject.checkpoint = checkpoint_facts(options.weights, checkpoint, subject.network);
  return subject;
}

Subject open_config(const InfoOptions& options) {
  network::Overrides overrides;
  overrides.class_count = options.nc;
  Subject subject;
  subject.network = network::build(network::read_config(options.cfg), options.cfg, overrides);
  for (int i = 0; i < subject.network.class_count; ++i)
    subject.classes.push_back(fmt::format("{}", i));
  return subject;
}

int usable_size(int wanted, const network::Network& network) {
  const int stride = std::max(static_cast<int>(network.largest_stride()), 1),
            usable = (wanted + stride - 1) / stride * stride;
  if (usable != wanted)
    log::warning(fmt::format("--img-size {} is no multiple of the largest stride {}; {} is used",
                             wanted, stride, usable));
  return usable;
}

nlohmann::json anchors_json(const network::Network& network) {
  nlohmann::json rows = nlohmann::json::array();
  for (const network::Level& level : network.levels) {
    if (level.auxiliary) continue;
    rows.push_back(nlohmann::json::array());
    for (const network::AnchorSize& size : level.anchors) rows.back().push_back({size.w, size.h});
  }
  return rows;
}

nlohmann::json layer_json(const network::Layer& layer, const network::Cost& cost) {
  const auto at = static_cast<std::size_t>(layer.index);
  const network::ValueSize& size = cost.layer_sizes[at];
  nlohmann::json shape;  // null for the head, whose maps differ
  if (layer.output_value >= 0) shape = {size.channels, size.height, size.width};
  return {{"index", layer.index},
          {"from", layer.inputs},
          {"repeats", layer.repeats},
          {"block", layer.block},
          {"arguments", layer.arguments},
          {"parameters", layer.parameters},
          {"output", shape},
          {"gflops", cost.layer_flops[at].gflops},
          {"receptive_field_px", cost.receptive_field[at]},
          {"attention", layer.attention}};
}

void print_layers(const network::Network& network, const network::Cost& cost,
                  const Output& output) {
  output.line(fmt::format("{:>5}  {:<20} {:>2}  {:<11} {:<34} {:>12}  {:<16} {:>8} {:>9}", "layer",
                          "from", "n", "block", "arguments", "parameters", "output", "GFLOPs",
                          "sees px"));
  for (const network::Layer& layer : network.layers) {
    const auto at = static_cast<std::size_t>(layer.index);
    const network::ValueSize& size = cost.layer_sizes[at];
    output.line(fmt::format(
        "{:>5}  {:<20} {:>2}  {:<11} {:<34} {:>12}  {:<16} {:>8.3f} {:>9}", layer.index,
        fmt::format("{}", fmt::join(layer.inputs, ", ")), layer.repeats, layer.block,
        layer.attention.empty() ? layer.arguments : layer.arguments + " + sam " + layer.attention,
        layer.parameters,
        layer.output_value < 0
            ? "-"
            : fmt::format("{} x {} x {}", size.channels, size.height, size.width),
        cost.layer_flops[at].gflops, text::general(cost.receptive_field[at])));
  }
}

void print_summary(const Subject& subject, const network::Cost& cost, int size,
                   const Output& output) {
  const network::Network& n = subject.network;
  output.line(fmt::format("{}: {} layers, {} head, {} classes, strides {}", n.source,
                          n.layers.size(), network::name(n.head), n.class_count,
                          fmt::join(n.strides(), ", ")));
  output.line(fmt::format("parameters: {} in training, {} fused for inference", cost.parameters,
                          cost.fused_parameters));
  output.line(
      fmt::format("GFLOPs at {} x {}: {:.2f} ({:.2f} with bias); fused {:.2f} ({:.2f} with bias)",
                  size, size, cost.flops.gflops, cost.flops.with_bias, cost.fused_flops.gflops,
                  cost.fused_flops.with_bias));
  output.line(fmt::format("receptive field: up to {} px a side at the head",
                          text::general(cost.receptive_field.back())));
  output.line(
      fmt::format("activations of one image in float32: {:.1f} MB in training, {:.1f} MB at most "
                  "at once in inference",
                  static_cast<double>(cost.training_activation_bytes) / 1e6,
                  static_cast<double>(cost.inference_activation_bytes) / 1e6));
  for (const network::Level& level : n.levels) {
    if (level.auxiliary) continue;
    std::vector<std::string> pairs;
    for (const network::AnchorSize& a : level.anchors)
      pairs.push_back(text::general(a.w) + " x " + text::general(a.h));
    output.line(fmt::format("anchors at stride {}: {} px", level.stride, text::join(pairs, ", ")));
  }
  if (subject.checkpoint.is_null()) return;
  print_checkpoint_facts(subject.checkpoint, subject.image_size, output);
  output.line("classes: " + text::join(subject.classes, ", "));
}

/// Checked before anything is printed.
bool draws_svg(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".svg" && extension != ".dot")
    throw usage_error(
        fmt::format("info: --graph: expected a file that ends in .svg or .dot, found '{}'", path));
  return extension == ".svg";
}

void draw(const InfoOptions& options, const network::Network& network, const network::Cost& cost,
          const Output& output) {
  file::write_atomically(options.graph, draws_svg(options.graph)
                                            ? network::svg_diagram(network, cost)
                                            : network::dot_diagram(network, cost));
  output.line("drawn: " + options.graph);
}

}  // namespace

nlohmann::json run_info(const std::vector<std::string>& arguments, Output& output) {
  InfoOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.cfg.empty() == options.weights.empty())
    throw usage_error("info: expected --cfg or --weights, found " +
                      std::string(options.cfg.empty() ? "neither" : "both"));
  if (!options.graph.empty()) {
    draws_svg(options.graph);
    OutputGuard guard;
    guard.protect(options.cfg.empty() ? options.weights : options.cfg,
                  options.cfg.empty() ? "--weights" : "--cfg");
    guard.claim(options.graph);
  }
  const Subject subject = options.cfg.empty() ? open_checkpoint(options) : open_config(options);
  const network::Network& n = subject.network;
  const int size = usable_size(options.img_size > 0 ? options.img_size : subject.image_size, n);
  const network::Cost cost = network::cost(n, size, size);
  print_layers(n, cost, output);
  print_summary(subject, cost, size, output);
  if (!options.graph.empty()) draw(options, n, cost, output);
  nlohmann::json table = nlohmann::json::array();
  for (const network::Layer& layer : n.layers) table.push_back(layer_json(layer, cost));
  nlohmann::json result = {{"network", n.source},
                           {"head", network::name(n.head)},
                           {"layers", n.layers.size()},
                           {"tensors", n.tensors.size()},
                           {"parameters", cost.parameters},
                           {"fused_parameters", cost.fused_parameters},
                           {"image_size", size},
                           {"gflops", cost.flops.gflops},
                           {"gflops_with_bias", cost.flops.with_bias},
                           {"fused_gflops", cost.fused_flops.gflops},
                           {"fused_gflops_with_bias", cost.fused_flops.with_bias},
                           {"strides", n.strides()},
                           {"anchors", anchors_json(n)},
                           {"receptive_field_px", cost.receptive_field.back()},
                           {"training_activation_bytes", cost.training_activation_bytes},
                           {"inference_activation_bytes", cost.inference_activation_bytes},
                           {"classes", subject.classes},
                           {"class_count", n.class_count},
                           {"layer_table", std::move(table)}};
  if (!subject.checkpoint.is_null()) result["checkpoint"] = subject.checkpoint;
  return result;
}

}  // namespace yolov7::cli
