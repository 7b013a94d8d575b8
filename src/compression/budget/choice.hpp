#pragma once
// Which of several smaller and faster forms of a network is taken: the fastest that keeps the
// accuracy budget, or none.
#include <optional>
#include <string>
#include <vector>

#include "equivalence/file_accuracy.hpp"

namespace yolov7::compression {

/// Milliseconds of one image, and images a second where all cores work.
struct CandidateSpeed {
  double least = 0, median = 0, throughput = 0;
};

/// A network in one kind of numbers.
struct Candidate {
  std::string network;             ///< "parent", "time-35"
  std::string numbers;             ///< "float32", "bfloat16", "int8"
  std::string missing;             ///< why there is none, or why it cannot be taken; "" = measured
  equivalence::Accuracy accuracy;  ///< the parent in float32 beside it
  CandidateSpeed speed;

  bool measured() const { return missing.empty(); }
  std::string name() const { return network + " in " + numbers; }
};

/// Measured, and it loses at most the budget (equivalence::accuracy_breach()).
bool keeps_budget(const Candidate& candidate);

struct Choice {
  std::optional<std::size_t> chosen;  ///< place among the candidates
  std::string reason;                 ///< one line: why this one, or why none
};
/// The first candidate is the parent in float32. Taken is what keeps the budget, has a smaller
/// least time than the parent in float32, and the smallest of those; of equal ones the more
/// accurate. Error: no candidate, or the first is not measured.
Choice choose(const std::vector<Candidate>& candidates);

/// For one network: whether 8-bit integers are worth their calibration next to bfloat16, in one
/// line; "" where nothing can be said. Integers win where they keep the budget and their least time
/// is below that of bfloat16 (SiLU networks on processors with AMX are where they often do not).
std::string number_advice(const std::vector<Candidate>& candidates, const std::string& network);

}  // namespace yolov7::compression
