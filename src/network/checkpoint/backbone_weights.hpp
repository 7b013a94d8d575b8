#pragma once
// Pre-trained backbones from the files of other packages (architecture 7.5): what `convert` makes
// of them.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

struct Backbone {
  std::string name;                ///< "MobileNetV2"
  std::vector<std::string> terms;  ///< whose weights they are and what their publishers say
  /// One class, and the tensors of the backbone alone: training makes neck and head. Its
  /// configuration is the built-in one of this backbone.
  Checkpoint checkpoint;
  std::size_t taken = 0;             ///< tensors of the file
  std::size_t widened = 0;           ///< of them kernels that stand in a larger one (7.5)
  std::vector<std::string> unused;   ///< tensors of the file without use here
  std::vector<std::string> made;     ///< tensors of the backbone that the file does not have
  std::vector<std::string> missing;  ///< tensors of the network behind the backbone
  std::vector<std::string> notes;    ///< what had to be assumed
};

/// None: the file is of another kind. Errors: one that claims to be such a backbone and lacks a
/// tensor, has one of another shape, or has one that such a backbone does not have.
std::optional<Backbone> read_backbone(const std::filesystem::path& path);

}  // namespace yolov7::network
