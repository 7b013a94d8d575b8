#include "core/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "core/error.hpp"

namespace yolov7::interrupt {
namespace {

// All that a signal handler may touch: lock-free atomics.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);
std::atomic<bool> flag = false;
std::atomic<std::int64_t> first_ms = 0;  ///< of the first Ctrl-C or SIGTERM; 0 = none yet

constexpr std::int64_t apart_ms = 250;

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000 + 1;
}

void handle(int signal) {
  flag = true;
  if (signal == SIGHUP) return;
  std::int64_t none = 0;
  const std::int64_t now = now_ms();
  if (first_ms.compare_exchange_strong(none, now) || now - first_ms < apart_ms) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void install() {
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
  if (std::signal(SIGHUP, handle) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}
bool requested() { return flag; }
void request() { flag = true; }
void clear() {
  flag = false;
  first_ms = 0;
}
void check() {
  if (requested()) throw Error("interrupted", ExitCode::interrupted);
}

}  // namespace yolov7::interrupt
