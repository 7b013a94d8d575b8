#include "core/interrupt.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "core/error.hpp"

namespace yolov7 {
namespace {

constexpr int not_requested = 7, requested = 8;

/// What `body` does to a process of its own: its exit code by interrupt::requested(), or 128 + the
/// signal that ended it.
int outcome(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    interrupt::clear();
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

TEST(Interrupt, CheckThrowsWithItsExitCode) {
  interrupt::clear();
  EXPECT_NO_THROW(interrupt::check());
  interrupt::request();
  try {
    interrupt::check();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted);
  }
  interrupt::clear();
}

}  // namespace
}  // namespace yolov7
