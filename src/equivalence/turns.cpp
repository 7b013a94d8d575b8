#include "equivalence/turns.hpp"

#include <chrono>
#include <ctime>

#include "core/stop.hpp"

namespace yolov7::equivalence {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace

std::vector<CallTimes> times_by_turns(const std::vector<std::function<void()>>& calls,
                                      const Turns& turns, const std::stop_token& stop) {
  std::vector<CallTimes> times(calls.size());
  for (const auto& call : calls) {
    check_stop(stop);
    call();
  }
  const Clock::time_point start = Clock::now();
  for (std::size_t round = 0;
       round < turns.least_rounds || milliseconds_since(start) < 1000 * turns.seconds; ++round)
    for (std::size_t i = 0; i < calls.size(); ++i) {
      check_stop(stop);
      const Clock::time_point begin = Clock::now();
      const std::clock_t processor_begin = std::clock();
      calls[i]();
      times[i].processor.push_back(1000.0 * static_cast<double>(std::clock() - processor_begin) /
                                   CLOCKS_PER_SEC);
      times[i].clock.push_back(milliseconds_since(begin));
    }
  return times;
}

}  // namespace yolov7::equivalence
