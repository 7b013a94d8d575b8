#pragma once
// Arguments of a block by position: checked, with the default where one is missing or None.
#include <cstddef>

#include "network/config/lowering.hpp"

namespace yolov7::network {

/// Errors: anything that is not a whole number of at most a million.
int integer_argument(Emitter& e, const BlockCall& call, std::size_t i, int fallback);
/// Error: anything but True and False.
bool boolean_argument(Emitter& e, const BlockCall& call, std::size_t i, bool fallback);
/// A share above 0 and up to 16. Errors: anything else.
double factor_argument(Emitter& e, const BlockCall& call, std::size_t i, double fallback);
/// True = SiLU (the default), False or None = none, or an activation.
Activation activation_argument(Emitter& e, const BlockCall& call, std::size_t i);

}  // namespace yolov7::network
