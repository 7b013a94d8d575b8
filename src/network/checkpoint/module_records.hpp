#pragma once
// Pickled modules as data: class path and attributes, nothing of them runs (architecture 6.3, 6.4).
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// Names and claims of all tensors below a module, in checkpoint order. Errors: a parameter that is
/// no tensor, too deep, too many (a module may contain itself).
std::vector<std::pair<std::string, const TensorClaim*>> named_tensors(const PickleValue& module,
                                                                      const std::string& source);

/// The module behind a data-parallel wrapper, or the module itself.
const PickleValue& unwrapped(const PickleValue& module);
/// "model.3.conv" below a module; nullptr if there is none.
const PickleValue* find_module(const PickleValue& module, std::string_view path);
/// The last part of the class path: "Conv2d".
std::string_view class_name(const PickleValue& module);

}  // namespace yolov7::network
