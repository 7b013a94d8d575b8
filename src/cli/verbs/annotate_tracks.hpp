#pragma once
// Detections of a video's frames linked over time, and what the tracks fill.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "active/gap_filling.hpp"
#include "cli/verbs/active_pool.hpp"
#include "cli/verbs/annotate_frames.hpp"

namespace yolov7::cli {

struct LinkedFrames {
  std::size_t videos = 0, scenes = 0;
  active::GapAccount account;
  /// For each image the boxes that no network found.
  std::vector<std::vector<Detection>> filled;
};

/// Links the detections of each scene by ByteTrack and sets their Detection::track, whose numbers
/// no two scenes share. `images` need PoolImage::thumbnail. Images that have no place are no
/// frames. `lowest`: score of the lowest detection that may go on with a track; a track begins at
/// the lowest threshold of `rules`.
LinkedFrames link_frames(std::vector<PoolImage>& images, const FramePlaces& places,
                         const std::vector<active::ClassRule>& rules, double lowest,
                         const active::GapOptions& options);

/// Counts of the report.
nlohmann::json to_json(const LinkedFrames& linked);
/// One line for people.
std::string text_of(const LinkedFrames& linked, bool as_labels);

}  // namespace yolov7::cli
