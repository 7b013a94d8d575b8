#pragma once
// Loads libyolov7-training, and with it LibTorch, when a verb needs it.
#include "training/api.hpp"

namespace yolov7::api {

/// Error that explains how to build with training where the library is missing.
const training::Api& training_library();

}  // namespace yolov7::api
