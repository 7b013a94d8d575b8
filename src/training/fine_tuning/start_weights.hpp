#pragma once
// The start of our own for yolov7-tiny: weights that were trained on formula-made pictures
// (weights/README.md).
#include <string>

#include "network/checkpoint/checkpoint.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::training {

/// Values of --weights that are no files: "synth" is that start; "auto" is it for yolov7-tiny, and
/// from scratch for every other network.
bool names_start(const std::string& weights);

/// Error where the file is not beside the program, or not whole.
network::Checkpoint read_start();

/// Whether every tensor but the head's has its place in `network`. "" = yes; else the first that
/// has not, for people.
std::string first_misfit(const network::Checkpoint& start, const nn::TorchNetwork& network);

}  // namespace yolov7::training
