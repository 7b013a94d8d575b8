#pragma once
// Initial weights from a checkpoint (training 9): by name and shape; rows of the head by class
// name.
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::training {

struct TransferReport {
  std::size_t loaded = 0, total = 0;
  std::size_t class_rows = 0;  ///< classes whose head rows were taken over by name
  std::vector<std::string> matched_classes, new_classes, dropped_classes;
  std::vector<std::string> skipped;  ///< "name: reason"
  std::string
      conversion;  ///< what became of a deploy head in a training graph; "" = nothing to say

  std::vector<std::string> lines() const;  ///< for people
};

/// Takes the checkpoint's inference weights into `target`. Tensors of the head that hold rows per
/// class are matched by class name, box and objectness rows are always taken where the channels
/// agree. `keep_anchors`: the target's own anchors stay (a config was given), else the checkpoint's
/// are taken. From the deploy form of the same published network the head's tensors go to the
/// training head's layer, and its implicit vectors become 0 and 1: the outputs start out the same
/// (architecture 5.6). Error: folded weights (their batch-norms are gone).
TransferReport transfer(const network::Checkpoint& from, nn::TorchNetwork& target,
                        const std::vector<std::string>& names, bool keep_anchors);

}  // namespace yolov7::training
