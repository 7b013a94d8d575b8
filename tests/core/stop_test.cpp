#include "core/stop.hpp"

#include <gtest/gtest.h>

namespace yolov7 {
namespace {

TEST(Stop, CheckThrowsWithItsExitCodeOnceAStopWasRequested) {
  std::stop_source source;
  EXPECT_NO_THROW(check_stop(source.get_token()));
  source.request_stop();
  try {
    check_stop(source.get_token());
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted);
    EXPECT_STREQ(error.what(), "interrupted");
  }
}

TEST(Stop, ADefaultTokenIsNeverStopped) { EXPECT_NO_THROW(check_stop({})); }

}  // namespace
}  // namespace yolov7
