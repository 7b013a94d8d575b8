#pragma once
// Reads pickled modules as data: class path and attributes. Nothing in them runs (architecture 6.3,
// 6.4).
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// Names and claims of all tensors below a module, in checkpoint order. Errors: a parameter that is
/// no tensor; modules nested too deeply; too many modules or tensors. The limits are needed because
/// a pickled module may contain itself.
std::vector<std::pair<std::string, const TensorClaim*>> named_tensors(const PickleValue& module,
                                                                      const std::string& source);

/// The module inside a data-parallel wrapper; `module` itself if it is no wrapper.
const PickleValue& unwrapped(const PickleValue& module);
/// The module at `path` ("model.3.conv") below `module`; nullptr if there is none.
const PickleValue* find_module(const PickleValue& module, std::string_view path);
/// The last part of the class path: "Conv2d".
std::string_view class_name(const PickleValue& module);

}  // namespace yolov7::network
