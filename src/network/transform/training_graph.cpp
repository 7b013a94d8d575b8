#include "network/transform/training_graph.hpp"

#include <algorithm>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "network/checkpoint/pickled_config.hpp"
#include "network/config/builder.hpp"
#include "network/graph/variants.hpp"

namespace yolov7::network {
namespace {

bool same(const Layer& a, const Layer& b) {
  return a.block == b.block && a.inputs == b.inputs && a.arguments == b.arguments &&
         a.out_channels == b.out_channels && a.repeats == b.repeats;
}

/// Whether `text` is a training graph whose layers below the deploy head are those of `deploy`.
bool fits(const std::string& text, const std::string& source, const Network& deploy) {
  try {
    Overrides overrides;
    overrides.class_count = deploy.class_count;
    const Network training = build(text, source, overrides);
    const auto below = static_cast<std::size_t>(deploy.head_layer);
    return training.head != HeadKind::detect && training.layers.size() > below &&
           std::equal(deploy.layers.begin(),
                      deploy.layers.begin() + static_cast<std::ptrdiff_t>(below),
                      training.layers.begin(), same);
  } catch (const Error&) {
    return false;  // then the network trains as it is
  }
}

}  // namespace

std::optional<TrainingGraph> training_graph(const Checkpoint& checkpoint) {
  const Network deploy = checkpoint.build_network();
  const Variant* variant = find_variant(static_cast<int>(deploy.layers.size()));
  if (variant == nullptr || deploy.head != HeadKind::detect ||
      static_cast<int>(deploy.layers.size()) != variant->deploy_layers)
    return std::nullopt;
  TrainingGraph graph;
  if (variant->training_layers == variant->deploy_layers) {
    const std::size_t at = checkpoint.config.rfind("Detect");
    if (at == std::string::npos || (at > 0 && checkpoint.config[at - 1] == 'I'))
      return std::nullopt;
    graph = {checkpoint.config, checkpoint.config_source + " with IDetect"};
    graph.config.insert(at, "I");
  } else {
    const std::string path = "training/" + std::string(variant->name) + ".yaml";
    const Value own = parse_yaml(checkpoint.config, checkpoint.config_source);
    graph = {std::string(*builtin_file(path)), path};
    for (const char* key : {"depth_multiple", "width_multiple"})
      if (const Value* multiple = own.find(key); multiple != nullptr && !multiple->is_null())
        graph.config = with_number(graph.config, key, multiple->number());
  }
  return fits(graph.config, graph.config_source, deploy) ? std::optional(graph) : std::nullopt;
}

}  // namespace yolov7::network
