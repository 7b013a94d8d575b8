#include "core/interrupt.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <stop_token>
#include <thread>

namespace yolov7 {
namespace {

constexpr int not_requested = 7, requested = 8;

/// What `body` does to a process of its own: its exit code by interrupt::requested(), or 128 + the
/// signal that ended it.
int outcome(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGHUP, SIG_DFL);  // whoever runs the tests may have used nohup
    body();
    ::_exit(interrupt::requested() ? requested : not_requested);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void later() { std::this_thread::sleep_for(std::chrono::milliseconds(400)); }

TEST(Interrupt, EachOfTheThreeSignalsAsksForAnEnd) {
  EXPECT_EQ(outcome([] { interrupt::install(); }), not_requested);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EQ(outcome([signal] {
                interrupt::install();
                std::raise(signal);
              }),
              requested)
        << signal;
}

TEST(Interrupt, UnderNohupAHangupMeansNothing) {
  EXPECT_EQ(outcome([] {
              std::signal(SIGHUP, SIG_IGN);
              interrupt::install();
              std::raise(SIGHUP);
            }),
            not_requested);
}

TEST(Interrupt, TheSecondEndsAtOnce) {
  for (const int signal : {SIGINT, SIGTERM})
    EXPECT_EQ(outcome([signal] {
                interrupt::install();
                std::raise(SIGTERM);
                later();
                std::raise(signal);
              }),
              128 + signal);
}

TEST(Interrupt, WhatOneSenderRepeatsIsNotTheSecond) {
  EXPECT_EQ(outcome([] {  // timeout: the process, then its group
              interrupt::install();
              std::raise(SIGTERM);
              std::raise(SIGTERM);
            }),
            requested);
  EXPECT_EQ(outcome([] {  // a shell that closes, then the machine's shutdown
              interrupt::install();
              std::raise(SIGHUP);
              later();
              std::raise(SIGHUP);
              std::raise(SIGTERM);
            }),
            requested);
  EXPECT_EQ(outcome([] {  // systemd
              interrupt::install();
              std::raise(SIGTERM);
              later();
              std::raise(SIGHUP);
            }),
            requested);
}

/// Waits for the thread that stops the token, which a loaded machine may let wait.
bool stopped_soon(const std::stop_token& stop) {
  for (int i = 0; i < 1000 && !stop.stop_requested(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return stop.stop_requested();
}

TEST(Interrupt, TheTokenIsStoppedByTheFirstSignalAndNotBefore) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EQ(outcome([signal] {
                const std::stop_token stop = interrupt::token();  // one from before is the same
                interrupt::install();
                if (stop.stop_requested()) ::_exit(1);
                std::raise(signal);
                if (!stopped_soon(stop) || !stopped_soon(interrupt::token())) ::_exit(2);
              }),
              requested)
        << signal;
}

TEST(Interrupt, CallbacksOfTheTokenRunOutsideOfTheHandler) {
  EXPECT_EQ(outcome([] {
              interrupt::install();
              std::atomic<bool> elsewhere = false;
              const auto here = std::this_thread::get_id();
              const std::stop_callback callback(
                  interrupt::token(), [&] { elsewhere = std::this_thread::get_id() != here; });
              std::raise(SIGINT);
              for (int i = 0; i < 1000 && !elsewhere; ++i)
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
              if (!elsewhere) ::_exit(1);
            }),
            requested);
}

/// Until exec it has the parent's handler and descriptor.
TEST(Interrupt, WhatAChildGetsBetweenForkAndExecIsNotForItsParent) {
  EXPECT_EQ(outcome([] {
              interrupt::install();
              const pid_t child = ::fork();
              if (child == 0) {
                std::raise(SIGTERM);
                ::_exit(interrupt::requested() ? 0 : 1);
              }
              int status = 0;
              ::waitpid(child, &status, 0);
              later();
              if (status != 0 || interrupt::token().stop_requested()) ::_exit(1);
            }),
            not_requested);
  EXPECT_EQ(outcome([] {  // and the parent's own still counts
              interrupt::install();
              const pid_t child = ::fork();
              if (child == 0) {
                std::raise(SIGTERM);
                ::_exit(0);
              }
              ::waitpid(child, nullptr, 0);
              std::raise(SIGTERM);
              if (!stopped_soon(interrupt::token())) ::_exit(1);
            }),
            requested);
}

/// Signals go to the program's threads, so that a call which waits is woken as it always was.
TEST(Interrupt, TheWaitingThreadTakesNoSignal) {
  EXPECT_EQ(outcome([] {
              interrupt::install();
              sigset_t ours;
              ::sigemptyset(&ours);
              ::sigaddset(&ours, SIGINT);
              ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
              ::kill(::getpid(), SIGINT);  // to the process: any thread that does not block it
              later();
              if (interrupt::requested()) ::_exit(1);
              ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
            }),
            requested);
}

}  // namespace
}  // namespace yolov7
