#pragma once
// Long calls that are asked to stop.
#include <gtest/gtest.h>

#include <stop_token>

#include "core/error.hpp"

namespace yolov7::test {

/// A token that is stopped already.
inline std::stop_token stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

/// Whether `action` ends with an Error of ExitCode::interrupted, and how it ends otherwise.
template <class Action>
::testing::AssertionResult is_stopped(Action action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "another error: " << error.what();
  }
  return ::testing::AssertionFailure() << "no error";
}

}  // namespace yolov7::test
