// Tracks in the form of MOTChallenge: whatever is read can be measured against itself, and is then
// perfect.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "evaluation/metrics/tracking_metrics.hpp"
#include "tests/fuzz/one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yolov7;
  fuzz::expect_one_line([&] {
    const evaluation::TrackedFrames tracks =
        evaluation::parse_tracks({reinterpret_cast<const char*>(data), size}, "x.txt", false);
    const evaluation::TrackingResult result = evaluation::tracking_metrics(tracks, tracks);
    if (result.switches != 0) std::abort();
  });
  return 0;
}
