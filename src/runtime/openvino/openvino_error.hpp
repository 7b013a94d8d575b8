#pragma once
// Exceptions of OpenVINO as errors of ours.
#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace yolov7::runtime {

/// One line of what an exception of OpenVINO says: without the places in its own source and the
/// conditions that failed there.
std::string openvino_reason(std::string_view what);

/// Runs `action`; an exception that is not ours, whose text may span lines, becomes one line.
template <class Action>
auto guarded(const char* what, Action&& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& exception) {
    throw Error(fmt::format("OpenVINO cannot {}: {}", what, openvino_reason(exception.what())));
  }
}

}  // namespace yolov7::runtime
