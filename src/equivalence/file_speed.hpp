#pragma once
// How fast a model file is, next to the network that it was written from: both by turns, in one
// run.
#include <stop_token>
#include <vector>

#include "equivalence/proof.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

/// Milliseconds and images a second.
struct Speed {
  double load = 0;        ///< from the file until it is ready to answer, once
  double latency = 0;     ///< of one call, the median
  double throughput = 0;  ///< images of all calls over their time
};
struct FileSpeed {
  Speed parent, file;
  int images = 1, height = 0, width = 0;  ///< of a call
  int calls = 0;                          ///< of each
};

/// Half of the parent's calls, the file's, the other half of the parent's: so neither has to be in
/// memory beside the other, and a machine that gets slower or faster meanwhile does so for both.
class SpeedByTurns {
 public:
  /// `images`: of a call.
  SpeedByTurns(const ProofPicture& picture, int images, std::stop_token stop);
  /// Calls: as many as a quarter of a second holds, 2 to 10; the second time as many as the first.
  /// Errors: what running reports, stopped_error().
  void time_parent(runtime::Detector& parent);
  /// After the first time of the parent; twice its calls.
  void time_file(runtime::Detector& file);
  /// Leaves `load` to who loads.
  FileSpeed found() const;

 private:
  double milliseconds(runtime::Detector& detector) const;

  std::vector<std::uint8_t> pixels_;
  int images_, height_, width_;
  std::stop_token stop_;
  std::size_t half_ = 0;  ///< calls of a turn of the parent
  std::vector<double> of_parent_, of_file_;
};

}  // namespace yolov7::equivalence
