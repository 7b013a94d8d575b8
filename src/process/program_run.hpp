#pragma once
// This program as a child, from its start to its end.
#include <filesystem>
#include <stop_token>
#include <string>

#include "process/child_process.hpp"

namespace yolov7::process {

struct ProgramEnd {
  int code = 0;             ///< exit code; −1 = by a signal
  std::string end;          ///< ChildProcess::end_text()
  double seconds = 0;       ///< from start to end
  std::string last_line{};  ///< of ChildStart::errors, without "error: "
};

/// Waits for the end; meanwhile the child's last message is the live line, where there is one.
/// Errors: it cannot be started, naming `what`; a stop was requested: the child
/// gets SIGTERM, and stopped_error() follows its end. A child that was interrupted by somebody else
/// is stopped_error(), too.
ProgramEnd run_program(const ChildStart& start, const std::string& what,
                       const std::stop_token& stop);

/// The last line of a log that is not empty: what went wrong, where a program failed.
std::string last_line(const std::filesystem::path& log_file);

/// A child outlives its parent where that was killed, until its work is safe. Waits until it gives
/// back the lock of its folder, or removes the folder, and says so. Errors: stopped_error().
void wait_for_earlier(const std::filesystem::path& folder, const std::string& what,
                      const std::stop_token& stop);

}  // namespace yolov7::process
