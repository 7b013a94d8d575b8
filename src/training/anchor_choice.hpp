#pragma once
// Which anchors a new run trains with (training 12).
#include <stop_token>

#include "nn/torch_network.hpp"
#include "run/run_state.hpp"
#include "training/data.hpp"

namespace yolov7::training {

/// Says how well the network's anchors fit the training split, and replaces them by searched ones
/// where they fit badly or are only placeholders. Labels that do not suffice for a search: a
/// warning; with placeholders an Error (usage). Error: stopped_error() in the search.
void choose_anchors(nn::TorchNetwork& network, const Data& data, const run::RunState& state,
                    const std::stop_token& stop);

}  // namespace yolov7::training
