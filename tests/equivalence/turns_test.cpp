#include "equivalence/turns.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/stopping.hpp"

namespace yolov7::equivalence {
namespace {

TEST(Turns, AllInEveryRoundAfterOneThatIsNotCounted) {
  std::string order;
  const auto times =
      times_by_turns({[&] { order += 'a'; }, [&] { order += 'b'; }}, {.least_rounds = 3}, {});
  EXPECT_EQ(order, "abababab");
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].clock.size(), 3U);
  EXPECT_EQ(times[1].processor.size(), 3U);
}

TEST(Turns, TimesAreThoseOfTheCalls) {
  const auto sleep = [](int ms) {
    return [ms] { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
  };
  const auto times = times_by_turns({sleep(1), sleep(20)}, {.least_rounds = 2}, {});
  for (const double one : times[0].clock) EXPECT_GE(one, 1);
  for (const double one : times[1].clock) EXPECT_GE(one, 20);
  // Who sleeps computes nothing.
  for (const double one : times[1].processor) EXPECT_LT(one, 10);
}

TEST(Turns, MoreRoundsUntilTheTimeIsOver) {
  const auto begin = std::chrono::steady_clock::now();
  times_by_turns({[] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }},
                 {.least_rounds = 1, .seconds = 0.1}, {});
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
}

TEST(Turns, StopsBetweenTwoCalls) {
  std::stop_source source;
  int calls = 0;
  EXPECT_TRUE(test::is_stopped([&] {
    times_by_turns({[&] {
                     if (++calls == 4) source.request_stop();
                   }},
                   {.least_rounds = 100}, source.get_token());
  }));
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace yolov7::equivalence
