#include "network/transform/reparameterize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "network/config/config_document.hpp"

namespace yolov7::network {
namespace {

/// "model.122.m.0.weight" → {122, "m.0.weight"}.
std::pair<int, std::string> split_name(const std::string& name) {
  const std::size_t begin = name.find('.') + 1, end = name.find('.', begin);
  const auto layer = begin == 0 || end == std::string::npos
                         ? std::nullopt
                         : text::parse_int(name.substr(begin, end - begin));
  if (!layer)
    throw Error(
        fmt::format("{}: expected a tensor name like model.<layer>.…", text::printable(name)));
  return {static_cast<int>(*layer), name.substr(end + 1)};
}

/// Tensors and anchors in the order of `network`, under the names of the deploy layers.
Weights renamed(const Weights& weights, const std::map<int, int>& layers) {
  Weights result;
  for (const auto& [name, tensor] : weights.entries()) {
    const auto [layer, rest] = split_name(name);
    const auto found = layers.find(layer);
    if (found == layers.end())
      throw Error(fmt::format("{}: expected a tensor of the deploy graph", name));
    result.set(fmt::format("model.{}.{}", found->second, rest), tensor);
  }
  return result;
}

Weights ordered(const Network& network, const Weights& weights) {
  check(network, weights);
  Weights result;
  for (const TensorSpec& spec : network.tensors) result.set(spec.name, weights.at(spec.name));
  return result;
}

}  // namespace

DeployConfig deploy_config(std::string_view config, const std::string& source) {
  ConfigDocument document = parse_config(config, source);
  ConfigEntry& head = document.entries.back();
  if (head.block.find("IAuxDetect") != std::string::npos) head.from.resize(head.from.size() / 2);
  head.block = "Detect";
  std::set<int> needed{head.id};
  for (auto entry = document.entries.rbegin(); entry != document.entries.rend(); ++entry)
    if (needed.count(entry->id) != 0) needed.insert(entry->from.begin(), entry->from.end());
  std::erase_if(document.entries,
                [&](const ConfigEntry& entry) { return needed.count(entry.id) == 0; });
  return {to_text(document, source + ", deploy graph"), document.positions()};
}

Reparameterized reparameterize(const Checkpoint& checkpoint) {
  const Network parent = checkpoint.build_network();
  const DeployConfig deploy = deploy_config(checkpoint.config, checkpoint.config_source);
  const NetworkAndWeights folded = fuse(parent, checkpoint.inference_weights(), DataType::float64);
  Checkpoint child;
  child.config = deploy.text;
  child.config_source = checkpoint.config_source + ", deploy graph";
  child.class_count = checkpoint.class_count;
  child.ema = renamed(folded.weights, deploy.layers);
  Reparameterized result;
  result.network = child.build_network();
  result.weights = ordered(result.network, child.ema);
  result.config = child.config;
  result.config_source = child.config_source;
  return result;
}

std::string tensors_hash(const Weights& weights) {
  std::string all;
  for (const auto& [name, tensor] : weights.entries()) {
    all += fmt::format("{}\n{}\n{}\n", name, static_cast<int>(tensor.type),
                       fmt::join(tensor.shape, ","));
    all += file::content_hash(
        {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
  }
  return file::content_hash(all);
}

}  // namespace yolov7::network
