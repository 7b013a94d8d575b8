#pragma once
// Tracks of CVAT: shapes at key frames, and what stands between them.
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// Frames are numbers in the video, not in the task.
struct CvatFrames {
  int start = 0, stop = -1, step = 1;  ///< stop < 0: not written
  int width = 0, height = 0;
  std::string source = {};             ///< the file, for messages
  std::size_t most_boxes = 5'000'000;  ///< of all tracks together; add_track() counts it down
};

using ObjectsByFrame = std::map<int, std::vector<AnnotatedObject>>;

/// Adds the shapes of one track, each with its TrackPlace, to their frames: between a key frame
/// that is visible and the next one boxes move on straight lines, also towards a key frame that is
/// outside; rotation takes the shorter way; other shapes stay as they are. After the last one the
/// shape holds to the end. What is outside is no object.
/// Error: more than `most_boxes` boxes in all.
void add_track(std::vector<AnnotatedObject> shapes, CvatFrames& frames, ObjectsByFrame& result);

}  // namespace yolov7::dataset
