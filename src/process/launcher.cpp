#include "process/launcher.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "process/child_process.hpp"

namespace yolov7::process {
namespace {

using Clock = std::chrono::steady_clock;

/// A port that nobody listens at now. Whoever takes it before rank 0 does makes rank 0 fail by
/// name.
int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool found =
      descriptor >= 0 &&
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!found)
    throw Error(fmt::format("{}: no free port on this machine: {}", setting_name("nproc"),
                            std::strerror(errno)));
  return ntohs(address.sin_port);
}

ChildProcess start(int rank, int count, int port, const std::vector<std::string>& arguments) {
  return ChildProcess::start(
      {arguments,
       {fmt::format("RANK={}", rank), fmt::format("WORLD_SIZE={}", count),
        fmt::format("LOCAL_RANK={}", rank), fmt::format("LOCAL_WORLD_SIZE={}", count),
        "MASTER_ADDR=127.0.0.1", fmt::format("MASTER_PORT={}", port)},
       rank == 0 ? "" : "/dev/null",
       ""},
      fmt::format("{}: process {}", setting_name("nproc"), rank));
}

void signal_all(const std::vector<ChildProcess>& children, int signal) {
  for (const ChildProcess& child : children) child.send(signal);
}

/// Until all have ended. After the first one that ends badly the others get `grace`.
void wait_for(std::vector<ChildProcess>& children, std::chrono::seconds grace,
              const std::stop_token& stop) {
  bool passed_on = false, ended = false;
  Clock::time_point limit{};
  for (bool any = true; any;) {
    if (stop.stop_requested() && !std::exchange(passed_on, true)) signal_all(children, SIGTERM);
    any = false;
    for (ChildProcess& child : children) any = child.running() || any;
    if (!ended && std::any_of(children.begin(), children.end(),
                              [](const ChildProcess& child) { return child.failed(); })) {
      ended = true;
      limit = Clock::now() + grace;
    }
    if (ended && Clock::now() > limit) signal_all(children, SIGKILL);
    if (any) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

ExitCode launch(int count, const std::vector<std::string>& arguments, std::chrono::seconds grace,
                const std::stop_token& stop) {
  const int port = free_port();
  std::vector<ChildProcess> children;
  for (int rank = 0; rank < count; ++rank) children.push_back(start(rank, count, port, arguments));
  wait_for(children, grace, stop);
  ExitCode code = ExitCode::done;
  for (int rank = 0; rank < count; ++rank) {
    const ChildProcess& child = children[static_cast<std::size_t>(rank)];
    if (!child.failed()) continue;
    if (child.exit_code() < 0)
      log::error(fmt::format("rank {} of {} was ended by {}", rank, count, child.end_text()));
    const bool interrupted = child.exit_code() == static_cast<int>(ExitCode::interrupted);
    const bool usage = child.exit_code() == static_cast<int>(ExitCode::usage);
    if (code == ExitCode::done)
      code = interrupted ? ExitCode::interrupted : usage ? ExitCode::usage : ExitCode::failure;
    if (!interrupted && !usage) code = ExitCode::failure;
  }
  return code;
}

}  // namespace yolov7::process
