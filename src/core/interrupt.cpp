#include "core/interrupt.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <system_error>
#include <thread>

#include "core/error.hpp"

namespace yolov7::interrupt {
namespace {

// All that a signal handler may touch: lock-free atomics, and write(2) to the descriptor.
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);
std::atomic<bool> flag = false;
std::atomic<int> wakes = -1;             ///< an eventfd that stop_when_woken() reads
std::atomic<std::int64_t> first_ms = 0;  ///< of the first Ctrl-C or SIGTERM; 0 = none yet

constexpr std::int64_t apart_ms = 250;

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000 + 1;
}

void handle(int signal) {
  const int problem = errno;
  flag = true;
  const std::uint64_t one = 1;
  (void)!::write(wakes, &one, sizeof one);  // it blocks and fails only after 2^64 signals
  errno = problem;
  if (signal == SIGHUP) return;
  std::int64_t none = 0;
  const std::int64_t now = now_ms();
  if (first_ms.compare_exchange_strong(none, now) || now - first_ms < apart_ms) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// Never destroyed: the thread that stops it may outlive main().
std::stop_source& source() {
  static auto* const only = new std::stop_source;
  return *only;
}

/// A child between fork and exec has the handler and the descriptor, too, but a flag of its own, so
/// a signal that it gets wakes this thread and stops nothing.
void stop_when_woken() {
  do {
    std::uint64_t count = 0;
    if (::read(wakes, &count, sizeof count) < 0 && errno != EINTR) return;
  } while (!flag);
  source().request_stop();
}

/// Without signals: they are for the threads of the program.
void start_waiting_thread() {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::error_code problem;
  try {
    std::thread(stop_when_woken).detach();
  } catch (const std::system_error& error) {
    problem = error.code();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (problem)
    throw Error(
        fmt::format("cannot start the thread that waits for Ctrl-C: {}", problem.message()));
}

}  // namespace

void install() {
  wakes = ::eventfd(0, EFD_CLOEXEC);
  if (wakes < 0)
    throw Error(
        fmt::format("cannot make a descriptor to wait for Ctrl-C: {}", std::strerror(errno)));
  source();  // made before a signal may come
  start_waiting_thread();
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
  if (std::signal(SIGHUP, handle) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

std::stop_token token() { return source().get_token(); }
bool requested() { return flag; }

}  // namespace yolov7::interrupt
