#include "cli/launcher.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "core/interrupt.hpp"
#include "core/log.hpp"

namespace yolov7::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  pid_t id = -1;
  int rank = 0;
  int status = 0;
  bool running = true;
};

/// A port that nobody listens at now. Whoever takes it before rank 0 does makes rank 0 fail by name.
int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool found = descriptor >= 0 && ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!found) throw Error(fmt::format("--nproc: no free port on this machine: {}", std::strerror(errno)));
  return ntohs(address.sin_port);
}

/// Between fork and exec: nothing that allocates or locks.
[[noreturn]] void become(int rank, char* const* arguments, char* const* environment) {
  ::setpgid(0, 0);  // a Ctrl-C comes from the launcher, once
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (rank != 0) {
    const int nothing = ::open("/dev/null", O_WRONLY);
    if (nothing >= 0) ::dup2(nothing, STDOUT_FILENO);
  }
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

Child start(int rank, int count, int port, std::vector<std::string> arguments) {
  std::vector<std::string> environment{fmt::format("RANK={}", rank), fmt::format("WORLD_SIZE={}", count), fmt::format("LOCAL_RANK={}", rank), fmt::format("LOCAL_WORLD_SIZE={}", count),
                                       "MASTER_ADDR=127.0.0.1", fmt::format("MASTER_PORT={}", port)};
  for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
  arguments.insert(arguments.begin(), "yolov7");
  const std::vector<char*> argument_list = pointers(arguments), variables = pointers(environment);
  const pid_t id = ::fork();
  if (id < 0) throw Error(fmt::format("--nproc: process {} could not be started: {}", rank, std::strerror(errno)));
  if (id == 0) become(rank, argument_list.data(), variables.data());
  return {id, rank};
}

void signal_all(const std::vector<Child>& children, int signal) {
  for (const Child& child : children)
    if (child.running) ::kill(child.id, signal);
}

bool failed(const Child& child) { return !child.running && !(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0); }

/// Until all have ended. After the first one that ends badly the others get `grace`.
void wait_for(std::vector<Child>& children, std::chrono::seconds grace) {
  bool passed_on = false, ended = false;
  Clock::time_point limit{};
  while (std::any_of(children.begin(), children.end(), [](const Child& c) { return c.running; })) {
    if (interrupt::requested() && !std::exchange(passed_on, true)) signal_all(children, SIGTERM);
    for (Child& child : children)
      if (child.running && ::waitpid(child.id, &child.status, WNOHANG) == child.id) child.running = false;
    if (!ended && std::any_of(children.begin(), children.end(), failed)) {
      ended = true;
      limit = Clock::now() + grace;
    }
    if (ended && Clock::now() > limit) signal_all(children, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

ExitCode launch(int count, const std::vector<std::string>& arguments, std::chrono::seconds grace) {
  const int port = free_port();
  std::vector<Child> children;
  for (int rank = 0; rank < count; ++rank) children.push_back(start(rank, count, port, arguments));
  wait_for(children, grace);
  ExitCode code = ExitCode::done;
  for (const Child& child : children) {
    if (!failed(child)) continue;
    if (WIFSIGNALED(child.status)) log::error(fmt::format("rank {} of {} was ended by signal {} ({})", child.rank, count, WTERMSIG(child.status), strsignal(WTERMSIG(child.status))));
    const bool interrupted = WIFEXITED(child.status) && WEXITSTATUS(child.status) == static_cast<int>(ExitCode::interrupted);
    const bool usage = WIFEXITED(child.status) && WEXITSTATUS(child.status) == static_cast<int>(ExitCode::usage);
    if (code == ExitCode::done) code = interrupted ? ExitCode::interrupted : usage ? ExitCode::usage : ExitCode::failure;
    if (!interrupted && !usage) code = ExitCode::failure;
  }
  return code;
}

}  // namespace yolov7::cli
