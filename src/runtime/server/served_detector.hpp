#pragma once
// A model that a server of the Open Inference Protocol runs (serving 1.3), as a detector.
#include <string>
#include <vector>

#include "runtime/openvino/model_file.hpp"
#include "runtime/server/inference_client.hpp"

namespace yolov7::runtime {

/// `address`: parse_served_address(). Layout, names and stride are found as in a model file
/// (model_facts.hpp), and also the four outputs of TensorRT's suppression. Images go out one at a
/// time, or as many as the model takes alone. Errors: those of InferenceClient; an input that is no
/// image; outputs of no layout that we know; another precision than float32.
ModelFile open_served_model(const std::string& address, const DetectorOptions& options,
                            const ServerOptions& server,
                            const std::vector<std::string>& names = {});

}  // namespace yolov7::runtime
