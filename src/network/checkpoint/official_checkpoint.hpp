#pragma once
// Reads checkpoints of the original program, and plain dictionaries of tensors, into a Checkpoint
// (architecture 6).
#include <string>

#include "network/checkpoint/checkpoint.hpp"
#include "network/checkpoint/recognise.hpp"
#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {

/// Reads a pickled model (the whole file, or under the keys `ema` and `model`), or else a
/// dictionary name → tensor (the whole file, or under `ema`, `model` or `state_dict`). Errors: the
/// file holds neither; whatever recognise() and arranged() report.
Checkpoint read_official(const TorchContainer& container, const std::string& source);

/// Makes a Checkpoint of named tensors without a pickled model. If all names begin with "module.",
/// that part is dropped. If all then begin with a layer's number, "model." is put in front.
/// `description`: the meta text that this program wrote into the file; "" if it has none.
Checkpoint describe_tensors(Weights weights, const std::string& description, Evidence evidence,
                            const std::string& source);

}  // namespace yolov7::network
