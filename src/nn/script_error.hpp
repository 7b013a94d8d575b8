#pragma once
// LibTorch's errors as ours, without the trace that they carry.
#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/torch.hpp"

namespace yolov7::nn {

/// Error: "path: what: " and the first line of the reason.
template <class Function>
auto script_guarded(const std::filesystem::path& path, const char* what, Function&& function) {
  const auto error = [&](std::string reason) {
    while (!reason.empty() && reason.front() == '\n') reason.erase(0, 1);
    // Advice of LibTorch about files of its own follows.
    reason = reason.substr(0, reason.find(". This is an internal"));
    reason = reason.substr(0, std::min<std::size_t>(reason.find('\n'), 300));
    return Error(fmt::format("{}: {}: {}", path.string(), what, text::printable(reason)));
  };
  try {
    return function();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& exception) {
    throw error(exception.what_without_backtrace());
  } catch (const std::exception& exception) {
    throw error(exception.what());
  }
}

}  // namespace yolov7::nn
