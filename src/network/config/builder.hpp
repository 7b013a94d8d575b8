#pragma once
// From the text of a configuration to a network.
#include <string>
#include <string_view>
#include <vector>

#include "network/config/build_limits.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::network {

/// What a caller may change without touching the config text.
struct Overrides {
  int class_count = 0;                            ///< 0 = as in the config
  double depth_multiple = 0, width_multiple = 0;  ///< 0 = as in the config
  int anchors_per_level = 0;  ///< > 0: placeholder anchors, to be replaced by the anchor search
  std::vector<std::vector<AnchorSize>> anchors;  ///< not empty: replaces the config's
};

/// Errors "file:line:column: layer 12 (Conv): …": unknown block with the known names, wrong
/// argument count or type, input that does not exist, channels that do not fit, over the limits
/// (before anything is allocated).
Network build(std::string_view config_text, const std::string& source,
              const Overrides& overrides = {}, const BuildLimits& limits = {});

/// A file, or a built-in config found by base name (cfg/training/yolov7-tiny.yaml works without the
/// file; says so). Where two built-ins share a base name (training, deploy), a "deploy" component
/// in the path chooses the deploy one.
std::string read_config(const std::string& path);

}  // namespace yolov7::network
