#include "runtime/tracker.hpp"

#include <algorithm>
#include <cmath>

#include "core/linear_assignment.hpp"

namespace yolov7::runtime {
namespace {

constexpr double position_noise = 1.0 / 20, velocity_noise = 1.0 / 160;
constexpr double duplicate_iou = 0.85;

double square(double x) { return x * x; }

}  // namespace

std::vector<Setting> settings(TrackOptions& o) {
  return group(
      "Tracks",
      {
          setting("track-high", o.high,
                  "score above which a detection begins a track; 0 = "
                  "--conf-thres")
              .range(0, 1),
          setting("track-low", o.low, "score above which a detection may go on with a track")
              .range(0, 1),
          setting("track-iou", o.match_iou,
                  "least overlap of a track's expected box and a detection")
              .range(0, 1),
          setting("track-buffer", o.buffer, "frames for which an object out of sight is remembered")
              .range(0, 1e6),
      });
}

EvenMotion::EvenMotion(double value, double scale)
    : value_(value),
      var_value_(square(2 * position_noise * scale)),
      var_velocity_(square(10 * velocity_noise * scale)) {}

// x ← F x, P ← F P Fᵀ + Q with F = [1 1; 0 1].
void EvenMotion::predict(double scale) {
  value_ += velocity_;
  var_value_ += 2 * covariance_ + var_velocity_ + square(position_noise * scale);
  covariance_ += var_velocity_;
  var_velocity_ += square(velocity_noise * scale);
}

// Only the position is measured: H = [1 0].
void EvenMotion::update(double measured, double scale) {
  const double s = var_value_ + square(position_noise * scale), gain = var_value_ / s,
               gain_velocity = covariance_ / s, error = measured - value_;
  value_ += gain * error;
  velocity_ += gain_velocity * error;
  var_velocity_ -= gain_velocity * covariance_;
  covariance_ *= 1 - gain;
  var_value_ *= 1 - gain;
}

Xyxy ByteTracker::Track::box() const {
  const double cx = motion[0].value(), cy = motion[1].value(), w = std::max(motion[2].value(), 0.0),
               h = std::max(motion[3].value(), 0.0);
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}

ByteTracker::Track ByteTracker::begin(const Detection& d) {
  const double scale = d.box.height();
  return {
      next_++,
      d.class_index,
      {EvenMotion((d.box.x1 + d.box.x2) / 2, scale), EvenMotion((d.box.y1 + d.box.y2) / 2, scale),
       EvenMotion(d.box.width(), scale), EvenMotion(scale, scale)},
      frame_};
}

void ByteTracker::predict() {
  for (Track& track : tracks_) {
    if (track.seen + 1 < frame_)
      track.motion[2].stop(), track.motion[3].stop();  // what is out of sight keeps its size
    const double scale = std::max(track.motion[3].value(), 1.0);
    for (EvenMotion& motion : track.motion) motion.predict(scale);
  }
}

void ByteTracker::go_on(Track& track, const Detection& d) {
  const double scale = std::max(track.motion[3].value(), 1.0);
  const std::array<double, 4> measured{(d.box.x1 + d.box.x2) / 2, (d.box.y1 + d.box.y2) / 2,
                                       d.box.width(), d.box.height()};
  for (std::size_t k = 0; k < measured.size(); ++k) track.motion[k].update(measured[k], scale);
  track.seen = frame_;
  track.class_index = d.class_index;
}

void ByteTracker::associate(std::span<const Detection> detections, std::vector<std::size_t>& who,
                            std::vector<std::size_t>& which, std::vector<std::uint64_t>& numbers) {
  std::vector<double> costs;
  costs.reserve(who.size() * which.size());
  for (const std::size_t t : who) {
    const Xyxy expected = tracks_[t].box();
    for (const std::size_t d : which) {
      const double overlap = iou(expected, detections[d].box);
      const bool same = options_.agnostic || tracks_[t].class_index == detections[d].class_index;
      costs.push_back(same && !std::isnan(overlap) ? 1 - overlap : 2);
    }
  }
  const std::vector<int> pairs = assign(costs, who.size(), which.size(), 1 - options_.match_iou);
  std::vector<std::size_t> alone;
  std::vector<unsigned char> taken(which.size(), 0);
  for (std::size_t i = 0; i < who.size(); ++i) {
    if (pairs[i] < 0) {
      alone.push_back(who[i]);
      continue;
    }
    const auto j = static_cast<std::size_t>(pairs[i]);
    taken[j] = 1;
    go_on(tracks_[who[i]], detections[which[j]]);
    numbers[which[j]] = tracks_[who[i]].number;
  }
  who = std::move(alone);
  std::vector<std::size_t> left;
  for (std::size_t j = 0; j < which.size(); ++j)
    if (!taken[j]) left.push_back(which[j]);
  which = std::move(left);
}

/// Tracks out of sight for too long, and those that another one, longer seen, covers.
void ByteTracker::forget() {
  std::erase_if(tracks_, [&](const Track& track) { return frame_ - track.seen > options_.buffer; });
  std::vector<unsigned char> covered(tracks_.size(), 0);
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    for (std::size_t j = i + 1; j < tracks_.size(); ++j) {
      const bool same = options_.agnostic || tracks_[i].class_index == tracks_[j].class_index;
      // Only between one that is seen and one that is not: two that are both seen are two objects.
      if (!same || (tracks_[i].seen == frame_) == (tracks_[j].seen == frame_) ||
          !(iou(tracks_[i].box(), tracks_[j].box()) > duplicate_iou))
        continue;
      covered[tracks_[i].seen == frame_ ? j : i] = 1;
    }
  std::size_t at = 0;
  std::erase_if(tracks_, [&](const Track&) { return covered[at++] != 0; });
}

std::vector<Detection> ByteTracker::update(std::span<const Detection> detections) {
  ++frame_;
  predict();
  std::vector<std::size_t> high, low, all(tracks_.size());
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (detections[i].score > options_.high)
      high.push_back(i);
    else if (detections[i].score > options_.low)
      low.push_back(i);
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<std::uint64_t> numbers(detections.size(), 0);
  associate(detections, all, high, numbers);
  // Second association: only tracks that were seen in the frame before; a faint box says little
  // about those long gone.
  std::erase_if(all, [&](std::size_t t) { return tracks_[t].seen + 1 < frame_; });
  associate(detections, all, low, numbers);
  for (const std::size_t d : high) {
    tracks_.push_back(begin(detections[d]));
    numbers[d] = tracks_.back().number;
  }
  forget();
  std::vector<Detection> out;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (numbers[i] == 0) continue;
    out.push_back(detections[i]);
    out.back().track = numbers[i];
  }
  return out;
}

}  // namespace yolov7::runtime
