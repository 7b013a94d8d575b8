#include "process/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/error.hpp"

namespace yolov7::process {
namespace {

/// Runs in the child. Sends the child's stdout or stderr, `descriptor`, to the end of `file`. Where
/// `file` is empty or cannot be opened, the child keeps the stream of this process.
void redirect(const char* file, int descriptor) {
  if (*file == '\0') return;
  const int target = ::open(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (target >= 0) ::dup2(target, descriptor);
}

/// The child runs this between fork and exec, so nothing here may allocate memory or take a lock.
[[noreturn]] void replace_by_program(const ChildStart& start, char* const* arguments,
                                     char* const* environment) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  redirect(start.output.c_str(), STDOUT_FILENO);
  redirect(start.errors.c_str(), STDERR_FILENO);
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

std::vector<char*> null_terminated(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

ChildProcess ChildProcess::start(const ChildStart& start, const std::string& what) {
  std::vector<std::string> environment = start.environment, arguments = start.arguments;
  for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
  arguments.insert(arguments.begin(), "yolov7");
  const std::vector<char*> argument_list = null_terminated(arguments),
                           variables = null_terminated(environment);
  // Where whoever started this process has ignored it, no child's end could be waited for.
  struct sigaction now {};
  if (::sigaction(SIGCHLD, nullptr, &now) == 0 && now.sa_handler == SIG_IGN)
    std::signal(SIGCHLD, SIG_DFL);
  const pid_t id = ::fork();
  if (id < 0) throw Error(fmt::format("{} could not be started: {}", what, std::strerror(errno)));
  if (id == 0) replace_by_program(start, argument_list.data(), variables.data());
  return ChildProcess(id);
}

bool ChildProcess::running() {
  if (running_ && ::waitpid(id_, &status_, WNOHANG) == id_) running_ = false;
  return running_;
}

void ChildProcess::send(int signal) const {
  if (running_) ::kill(id_, signal);
}

bool ChildProcess::failed() const { return !running_ && exit_code() != 0; }

int ChildProcess::exit_code() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

std::string ChildProcess::end_text() const {
  if (WIFSIGNALED(status_))
    return fmt::format("signal {} ({})", WTERMSIG(status_), strsignal(WTERMSIG(status_)));
  return fmt::format("exit code {}", exit_code());
}

}  // namespace yolov7::process
