#pragma once
// The seven published networks, told apart by their number of layers (architecture 2.11).
#include <string_view>
#include <vector>

namespace yolov7::network {

struct Variant {
  std::string_view name;  ///< of the built-in configs training/<name>.yaml and deploy/<name>.yaml
  int training_layers, deploy_layers;
};

const std::vector<Variant>& variants();
/// Nothing for other numbers. Three-level networks have the same number in both graphs.
const Variant* find_variant(int layers);

}  // namespace yolov7::network
