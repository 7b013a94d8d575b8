#pragma once
// This program, started once more as a process of its own.
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace yolov7::process {

struct ChildStart {
  std::vector<std::string> arguments;    ///< verb first
  std::vector<std::string> environment;  ///< "NAME=value", before those of this process
  std::string output,
      errors;  ///< files that stdout and stderr go to (appended); "" = those of this process
};

/// A child in a process group of its own, so that a Ctrl-C reaches it once, by send(); it gets
/// SIGTERM if this process ends.
class ChildProcess {
 public:
  /// Error if it cannot be started, naming `what`.
  static ChildProcess start(const ChildStart& start, const std::string& what);

  /// Looks, without waiting, whether it has ended.
  bool running();
  void send(int signal) const;
  int status() const { return status_; }  ///< as waitpid() gives it, once it has ended
  bool failed() const;                    ///< ended, and not with 0
  int exit_code() const;                  ///< once it has ended; −1 = by a signal
  /// "exit code 1" or "signal 9 (Killed)".
  std::string end_text() const;

 private:
  explicit ChildProcess(pid_t id) : id_(id) {}
  pid_t id_ = -1;
  int status_ = 0;
  bool running_ = true;
};

}  // namespace yolov7::process
