#pragma once
// Cameras and streams: each has a thread that reads it, and only its latest frame is kept, so that
// whoever looks sees the present, however slow they are. A stream that ends, stalls or breaks is
// opened again, after 1 s, 2 s, … 30 s.
#include <cstdint>

#include "core/settings.hpp"
#include "runtime/frames/frames.hpp"

namespace yolov7::runtime {

struct StreamCounters {
  std::string name;
  std::uint64_t received = 0;     ///< frames decoded
  std::uint64_t delivered = 0;    ///< of these, handed on
  std::uint64_t dropped = 0;      ///< of these, replaced by a newer one before anybody looked
  std::uint64_t connections = 0;  ///< that gave at least one frame
  std::uint64_t failures = 0;     ///< connections that failed, stalled or ended
  std::uint64_t damaged = 0;      ///< packets that could not be decoded
  std::string last_failure;
};

struct LiveOptions {
  double first_pause = 1, longest_pause = 30;  ///< seconds before a stream is opened again; doubled
                                               ///< each time until it gives a frame
  int retries = -1;  ///< failures in a row after which a stream is given up; −1 = never
};

/// The options of a command line that these members are.
inline std::vector<Setting> settings(LiveOptions& o) {
  return group("Source", {setting("stream-retries", o.retries,
                                  "failures in a row after which a stream is given up; -1 = never")
                              .range(-1, 1e6)});
}

class LiveFrames : public FrameSource {
 public:
  virtual std::vector<StreamCounters> counters() const = 0;
};

/// Frames of all streams in turn. Ends when each was given up or has reached FrameLimits::frames,
/// or at the end of FrameLimits::seconds. Error: not one of the streams can be opened at first,
/// with the reason of each.
std::unique_ptr<LiveFrames> live_frames(std::vector<SourceVideo> streams, const FrameLimits& limits,
                                        const LiveOptions& options, const VideoLibrary& library);

}  // namespace yolov7::runtime
