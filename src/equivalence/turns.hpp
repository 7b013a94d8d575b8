#pragma once
// Times of several calls by turns, in one run: what else the machine does slows all of them.
#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

namespace yolov7::equivalence {

struct Turns {
  std::size_t least_rounds = 12;  ///< in which each call stands once
  double seconds = 0;             ///< of all rounds: more of them until they took so long
};

/// Milliseconds of each round: on the clock, and of the processor in all threads of this process.
/// Where one thread computes, the second is the time that it takes, whatever other programs do.
struct CallTimes {
  std::vector<double> clock, processor;
};

/// By call. Every call runs once before, which is not counted: it compiles and allocates. Errors:
/// what the calls report, stopped_error() between two of them.
std::vector<CallTimes> times_by_turns(const std::vector<std::function<void()>>& calls,
                                      const Turns& turns, const std::stop_token& stop);

}  // namespace yolov7::equivalence
