#pragma once
// Which values of a TorchScript graph have the same place in the graph that is written and in the
// one that is read again.
#include <torch/csrc/jit/ir/ir.h>

#include <vector>

namespace yolov7::nn {

/// The results of the operations on tensors, in their order. Constants, lists and the like are left
/// out, because reading a file makes other ones.
inline std::vector<torch::jit::Value*> script_operations(torch::jit::Graph& graph) {
  std::vector<torch::jit::Value*> made;
  for (torch::jit::Node* node : graph.nodes())
    if (node->kind().is_aten() && node->outputs().size() == 1) made.push_back(node->output());
  return made;
}

}  // namespace yolov7::nn
