#pragma once
// Exceptions of OpenVINO as errors of ours. Included where OpenVINO is.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string>

#include "core/error.hpp"

namespace yolov7::runtime {

/// Runs `action`; an exception that is not ours, whose text may span lines, becomes one line.
template <class Action>
auto guarded(const char* what, Action&& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& exception) {
    std::string reason = exception.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw Error(fmt::format("OpenVINO cannot {}: {}", what, reason));
  }
}

}  // namespace yolov7::runtime
