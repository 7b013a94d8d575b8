#pragma once
// The JSON text that describes a network beside its tensors; the same in our checkpoint, in
// safetensors and in state files.
#include <string>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

/// `with_state`: the trainer's state goes along.
std::string meta_text(const Checkpoint& checkpoint, bool with_state);
/// Fills everything but tensors and facts. Errors: missing keys, a number of names that differs
/// from the number of classes.
void read_meta(const std::string& text, const std::string& source, Checkpoint& checkpoint);

}  // namespace yolov7::network
