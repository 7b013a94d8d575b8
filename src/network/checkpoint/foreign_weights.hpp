#pragma once
// Which other program weights are of, where they are not recognised as a YOLOv7 network.
#include <string>
#include <string_view>

#include "network/graph/weights.hpp"
#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// "YOLOX", "torchvision" …, by the names of the tensors; "" = unknown.
std::string_view foreign_weights(const Weights& weights);
/// By the classes of the pickled modules; "" = unknown.
std::string_view foreign_model(const PickleValue& module);

/// The Error for weights that were not recognised: that they are of `program`, where that is known,
/// and else `reason`.
[[noreturn]] void throw_unrecognised(std::string_view program, const std::string& reason,
                                     const std::string& source);

}  // namespace yolov7::network
