#include "active/gap_filling.hpp"

#include <algorithm>
#include <map>

namespace yolov7::active {
namespace {

constexpr double same_object = 0.5;  // IoU

struct End {
  std::size_t frame;  ///< place in the list
  Detection box;
};
using Track = std::vector<End>;

Xyxy along(const Xyxy& a, const Xyxy& b, double t) {
  const auto one = [t](double from, double to) { return from + (to - from) * t; };
  return {one(a.x1, b.x1), one(a.y1, b.y1), one(a.x2, b.x2), one(a.y2, b.y2)};
}

bool is_confident(const Track& track, std::span<const ClassRule> rules, const GapOptions& options) {
  const auto labels =
      static_cast<std::size_t>(std::count_if(track.begin(), track.end(), [&](const End& end) {
        return is_label(end.box, rules[static_cast<std::size_t>(end.box.class_index)]);
      }));
  return labels >= static_cast<std::size_t>(options.least_labels) && 2 * labels >= track.size();
}

bool is_covered(const TrackedFrame& frame, const Detection& box) {
  return std::any_of(frame.detections.begin(), frame.detections.end(), [&](const Detection& one) {
    return one.class_index == box.class_index && iou(one.box, box.box) > same_object;
  });
}

/// The frames between two ends of a track.
void fill_gap(std::span<const TrackedFrame> frames, const End& from, const End& to,
              std::vector<FilledBox>& filled, GapAccount& account) {
  const std::int64_t first = frames[from.frame].number, last = frames[to.frame].number;
  const std::size_t before = filled.size();
  for (std::size_t at = from.frame + 1; at < to.frame; ++at) {
    Detection box = from.box;
    box.score = std::min(from.box.score, to.box.score);
    box.box =
        along(from.box.box, to.box.box,
              static_cast<double>(frames[at].number - first) / static_cast<double>(last - first));
    if (is_covered(frames[at], box))
      ++account.covered;
    else
      filled.push_back({at, box});
  }
  const auto missed = static_cast<std::size_t>(last - first - 1);
  account.without_image += missed - (to.frame - from.frame - 1);
  account.boxes += filled.size() - before;
  account.gaps += filled.size() > before ? 1 : 0;
}

}  // namespace

GapAccount& GapAccount::operator+=(const GapAccount& other) {
  tracks += other.tracks, confident += other.confident, gaps += other.gaps, boxes += other.boxes;
  too_long += other.too_long, covered += other.covered, without_image += other.without_image;
  return *this;
}

std::vector<FilledBox> fill_gaps(std::span<const TrackedFrame> frames,
                                 std::span<const ClassRule> rules, const GapOptions& options,
                                 GapAccount& account) {
  std::map<std::uint64_t, Track> tracks;
  for (std::size_t at = 0; at < frames.size(); ++at)
    for (const Detection& one : frames[at].detections)
      if (one.track != 0) tracks[one.track].push_back({at, one});
  std::vector<FilledBox> filled;
  for (const auto& [number, track] : tracks) {
    if (track.size() < 2) continue;
    ++account.tracks;
    if (!is_confident(track, rules, options)) continue;
    ++account.confident;
    for (std::size_t i = 0; i + 1 < track.size(); ++i) {
      const std::int64_t missed =
          frames[track[i + 1].frame].number - frames[track[i].frame].number - 1;
      if (missed > options.most)
        ++account.too_long;
      else if (missed > 0)
        fill_gap(frames, track[i], track[i + 1], filled, account);
    }
  }
  return filled;
}

}  // namespace yolov7::active
