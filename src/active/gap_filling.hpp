#pragma once
// Objects that a network missed in a few frames of a video, by the track that they belong to:
// tracklet interpolation (Zhang et al., ByteTrack, ECCV 2022, arXiv 2110.06864; serving 3.1).
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "active/machine_labels.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::active {

struct GapOptions {
  int most = 10;         ///< frames in a row; a longer gap stays as it is
  int least_labels = 3;  ///< boxes of a track that are labels, so that it counts as confident
};

/// The detections of a frame with Detection::track; 0: of no track.
struct TrackedFrame {
  std::int64_t number = 0;  ///< in the video; frames that nobody looked at are left out
  std::vector<Detection> detections;
};

struct FilledBox {
  std::size_t frame = 0;  ///< place in the list of frames
  Detection box;          ///< with its track, and the lower score of the two ends
};

struct GapAccount {
  std::size_t tracks = 0;         ///< of two boxes and more
  std::size_t confident = 0;      ///< of them
  std::size_t gaps = 0;           ///< that were filled, in part at least
  std::size_t boxes = 0;          ///< filled
  std::size_t too_long = 0;       ///< gaps of confident tracks that were left
  std::size_t covered = 0;        ///< boxes left out: a detection of the class stands there
  std::size_t without_image = 0;  ///< boxes left out: nobody looked at the frame
  GapAccount& operator+=(const GapAccount& other);
};

/// One scene, frames ascending. A track is confident where at least `least_labels` of its boxes,
/// and half of them, are labels by the rule of their class. Between two boxes of such a track that
/// are at most `most` frames apart, B(t) = B(a) + (B(b) − B(a)) (t − a) / (b − a), unless a
/// detection of the class overlaps it by an IoU above .5.
std::vector<FilledBox> fill_gaps(std::span<const TrackedFrame> frames,
                                 std::span<const ClassRule> rules, const GapOptions& options,
                                 GapAccount& account);

}  // namespace yolov7::active
