#pragma once
// A network against the pickled modules that its weights came with: names and shapes alone do not
// show strides, activations or wiring (yolov7-tiny and its SiLU form have the same tensors).
#include <string>

#include "network/graph/graph.hpp"
#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// "" where every layer's kind and inputs, every convolution's, batch-norm's and pool's settings
/// and every activation agree; else the first difference. What a record does not tell is not
/// compared.
std::string difference(const Network& network, const PickleValue& model);

}  // namespace yolov7::network
