#pragma once
#include <string>

#include "core/error.hpp"
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// For the start of a backward pass that LibTorch does not record. Error naming `layer` if it would
/// have to (create_graph).
inline void first_derivative_only(const char* layer) {
  if (at::GradMode::is_enabled())
    throw Error(std::string(layer) +
                ": expected a first derivative, found a second one, which it lacks");
}

}  // namespace yolov7::kernels
