#pragma once
// Loads libyolov7-training, and with it LibTorch, when a verb needs it.
#include "training/api.hpp"

namespace yolov7::api {

/// Error that explains how to build with training where the library is missing.
const training::Api& training_library();
/// Its part of exports.
const exporting::ScriptLibrary& script_library();

}  // namespace yolov7::api
