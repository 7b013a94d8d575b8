#pragma once
// A state file for PyTorch: torch.load(weights_only=True) gives name → tensor, ready for
// load_state_dict.
#include <filesystem>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

/// Beside the pickle in a state file: our description (classes, configuration), which PyTorch does
/// not look at.
constexpr const char* description_entry = "yolov7.cpp.json";

/// The inference weights under the official names and in official order, in the precision they
/// have. Atomic.
void write_state_file(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace yolov7::network
