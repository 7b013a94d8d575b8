#pragma once
// The door for checkpoints in files.
#include <filesystem>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

/// Atomic (temporary, fsync, rename), a CRC-32 with every entry; a full disk leaves the old file.
/// With `previous`, the file that is replaced keeps that name.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const std::filesystem::path& previous = {});
/// The one door for weights, told apart by content: our checkpoint, official ones (zip and legacy
/// containers, pickled models and plain dictionaries of tensors), safetensors. Executes nothing: a
/// structural allow-list over the pickle, bounds on everything, CRC checked. Weights keep the
/// file's precision; ema is empty where the file has none. Errors name file and what is wrong: cut,
/// hostile, of a newer format, of another kind of network.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace yolov7::network
