#pragma once
// The weights of a Core ML package as they are in the file, read back.
#include <filesystem>
#include <map>
#include <string>

#include "network/graph/weights.hpp"

namespace yolov7::exporting {

/// By the name of the value, float32: constants of float32 and float16, and what a palette
/// (constexpr_lut_to_dense) stands for. Of a pipeline those of its first model. Errors: a file that
/// is cut off or holds something else, with its name.
std::map<std::string, network::Tensor> coreml_constants(const std::filesystem::path& package);

/// The weights of `like`, with the values that the package has for those that an operation reads.
/// Errors: those of coreml_constants(); one that is missing or of another size.
network::Weights coreml_package_weights(const std::filesystem::path& package,
                                        const network::NetworkAndWeights& like);

}  // namespace yolov7::exporting
