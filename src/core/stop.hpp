#pragma once
// The end that somebody asks of a long call. It takes a std::stop_token, as a parameter or in its
// options, and looks at it between two pieces of its work. A default token is never stopped. The
// program's comes from core/interrupt.hpp; another caller has a std::stop_source of its own.
#include <stop_token>

#include "core/error.hpp"

namespace yolov7 {

/// What a long call throws that was asked to stop.
inline Error stopped_error() { return Error("interrupted", ExitCode::interrupted); }

/// Throws stopped_error() if a stop was requested.
inline void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw stopped_error();
}

}  // namespace yolov7
