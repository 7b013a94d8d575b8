#pragma once
// How fast a model file is, next to the network that it was written from: both by turns, in one
// run.
#include <stop_token>

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

/// `images`: of a call. Calls: as many as a second holds, 3 to 20. Leaves `load` to who loads.
/// Errors: what running reports, stopped_error().
FileSpeed measure_speed(runtime::Detector& parent, runtime::Detector& file,
                        const ProofPicture& picture, int images, const std::stop_token& stop);

}  // namespace yolov7::equivalence
