#pragma once
// Checked access to the arguments of a block by position. A missing argument or None gives the
// default; activation_argument() reads None as identity.
#include <cstddef>

#include "network/config/lowering.hpp"

namespace yolov7::network {

/// Error: anything but a whole number from −1,000,000 to 1,000,000.
int integer_argument(Emitter& e, const BlockCall& call, std::size_t i, int fallback);
/// Error: anything but True and False.
bool boolean_argument(Emitter& e, const BlockCall& call, std::size_t i, bool fallback);
/// A share above 0 and up to 16. Errors: anything else.
double factor_argument(Emitter& e, const BlockCall& call, std::size_t i, double fallback);
/// True = SiLU (the default), False or None = none, or an activation.
Activation activation_argument(Emitter& e, const BlockCall& call, std::size_t i);

}  // namespace yolov7::network
