#include "cli/verbs/annotate_tracks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "active/scene_cuts.hpp"
#include "runtime/tracker.hpp"

namespace yolov7::cli {
namespace {

using active::TrackedFrame;

/// Frames of one video, ascending.
struct Member {
  std::int64_t number;
  std::size_t image;
};

runtime::TrackOptions track_options(const std::vector<active::ClassRule>& rules, double lowest,
                                    const active::GapOptions& options) {
  double begin = 1;
  for (const active::ClassRule& rule : rules)
    if (rule.annotated) begin = std::min(begin, rule.threshold);
  runtime::TrackOptions track;
  // Detections at a threshold count, and the tracker takes what exceeds its own.
  track.high = std::nextafter(static_cast<float>(begin), 0.0F);
  track.low = std::nextafter(static_cast<float>(std::min(lowest, begin)), 0.0F);
  track.buffer = std::max(track.buffer, options.most);
  return track;
}

bool same(const Detection& a, const Detection& b) {
  return a.box.x1 == b.box.x1 && a.box.y1 == b.box.y1 && a.box.x2 == b.box.x2 &&
         a.box.y2 == b.box.y2 && a.score == b.score && a.class_index == b.class_index;
}

/// The tracker gives back some of the detections, in their order.
void take_tracks(const std::vector<Detection>& tracked, std::uint64_t offset,
                 std::vector<Detection>& detections) {
  std::size_t at = 0;
  for (const Detection& one : tracked) {
    while (at < detections.size() && !same(detections[at], one)) ++at;
    if (at < detections.size()) detections[at++].track = one.track + offset;
  }
}

/// One scene through a tracker of its own; gives the number of tracks that it began.
std::uint64_t track_scene(const std::vector<Member>& scene, const runtime::TrackOptions& options,
                          std::uint64_t offset, std::vector<PoolImage>& images) {
  runtime::ByteTracker tracker(options);
  std::int64_t next = scene.front().number;
  for (const Member& member : scene) {
    for (; next < member.number; ++next) tracker.update({});  // nobody looked at them
    std::vector<Detection>& detections = images[member.image].detections;
    take_tracks(tracker.update(detections), offset, detections);
    ++next;
  }
  return tracker.tracks();
}

std::vector<std::vector<Member>> scenes_of(const std::vector<Member>& video,
                                           const std::vector<PoolImage>& images) {
  std::vector<double> differences{0};
  for (std::size_t i = 1; i < video.size(); ++i) {
    const PoolImage &before = images[video[i - 1].image], &now = images[video[i].image];
    const bool resized = before.width != now.width || before.height != now.height;
    differences.push_back(resized ? 255
                                  : active::scene_difference(before.thumbnail, now.thumbnail));
  }
  const std::vector<bool> begins = active::scene_begins(differences);
  std::vector<std::vector<Member>> scenes;
  for (std::size_t i = 0; i < video.size(); ++i) {
    if (begins[i]) scenes.emplace_back();
    scenes.back().push_back(video[i]);
  }
  return scenes;
}

}  // namespace

LinkedFrames link_frames(std::vector<PoolImage>& images, const FramePlaces& places,
                         const std::vector<active::ClassRule>& rules, double lowest,
                         const active::GapOptions& options) {
  std::map<std::size_t, std::vector<Member>> videos;
  for (std::size_t i = 0; i < images.size(); ++i)
    if (const auto place = places.find(images[i].path); place != places.end())
      videos[place->second.video].push_back({place->second.number, i});
  LinkedFrames linked;
  linked.videos = videos.size();
  linked.filled.resize(images.size());
  const runtime::TrackOptions track = track_options(rules, lowest, options);
  std::uint64_t offset = 0;
  for (auto& [number, video] : videos) {
    std::sort(video.begin(), video.end(),
              [](const Member& a, const Member& b) { return a.number < b.number; });
    for (const std::vector<Member>& scene : scenes_of(video, images)) {
      ++linked.scenes;
      offset += track_scene(scene, track, offset, images);
      std::vector<TrackedFrame> frames;
      for (const Member& member : scene)
        frames.push_back({member.number, images[member.image].detections});
      for (const active::FilledBox& one : fill_gaps(frames, rules, options, linked.account))
        linked.filled[scene[one.frame].image].push_back(one.box);
    }
  }
  return linked;
}

nlohmann::json to_json(const LinkedFrames& linked) {
  const active::GapAccount& a = linked.account;
  return {{"videos", linked.videos},
          {"scenes", linked.scenes},
          {"tracks", a.tracks},
          {"confident_tracks", a.confident},
          {"filled_gaps", a.gaps},
          {"filled_boxes", a.boxes},
          {"gaps_too_long", a.too_long},
          {"not_filled_covered", a.covered},
          {"not_filled_without_image", a.without_image}};
}

std::string text_of(const LinkedFrames& linked, bool as_labels) {
  const active::GapAccount& a = linked.account;
  return fmt::format(
      "{} video{} with {} scene{}: {} tracks, {} of them confident; {} boxes fill {} gaps, {}; no "
      "threshold promises their precision; not filled: {} longer gaps, {} boxes where a detection "
      "stands, {} in frames that were not looked at",
      linked.videos, linked.videos == 1 ? "" : "s", linked.scenes, linked.scenes == 1 ? "" : "s",
      a.tracks, a.confident, a.boxes, a.gaps,
      as_labels ? "and are labels" : "and make their images doubtful", a.too_long, a.covered,
      a.without_image);
}

}  // namespace yolov7::cli
