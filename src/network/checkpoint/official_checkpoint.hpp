#pragma once
// Checkpoints of the original program and plain dictionaries of tensors (architecture 6), as a
// Checkpoint.
#include <string>

#include "network/checkpoint/checkpoint.hpp"
#include "network/checkpoint/recognise.hpp"
#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {

/// A pickled model (alone, or under `ema` and `model`), or a dictionary name → tensor (alone, or
/// under `model` or `state_dict`). Errors: neither of these; whatever recognise() and arranged()
/// report.
Checkpoint read_official(const TorchContainer& container, const std::string& source);

/// Tensors under names without a pickled model. "module." before all names is dropped, "model."
/// added where it is missing. `description`: our meta text if the file carries it, else "".
Checkpoint describe_tensors(Weights weights, const std::string& description, Evidence evidence,
                            const std::string& source);

}  // namespace yolov7::network
