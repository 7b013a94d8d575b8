#pragma once
// Objects followed from frame to frame: ByteTrack (Zhang et al., ECCV 2022, arXiv 2110.06864,
// algorithm 1).
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/settings.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::runtime {

struct TrackOptions {
  double high = 0.25;  ///< detections with a higher score are associated first, and begin tracks
  double low = 0.1;    ///< those above it may go on with a track; the rest is background
  double match_iou = 0.2;  ///< least IoU of a track's expected box and a detection
  int buffer = 30;         ///< frames for which a track that is not seen is remembered
  bool agnostic = false;   ///< a track may change its class
};

/// The options of a command line that these members are; `high` 0 = the confidence threshold.
std::vector<Setting> settings(TrackOptions& options);

/// A value that moves evenly: Kalman filter of position and velocity, one step a frame. With
/// diagonal noise the four values of a box do not influence each other, so each has a filter of its
/// own.
class EvenMotion {
 public:
  /// `scale`: pixels that the noise is measured in (the box's height): 1/20 of it for positions,
  /// 1/160 for velocities.
  EvenMotion(double value, double scale);
  void predict(double scale);
  void update(double measured, double scale);
  void stop() { velocity_ = 0; }
  double value() const { return value_; }
  double velocity() const { return velocity_; }

 private:
  double value_, velocity_ = 0;
  double var_value_, covariance_ = 0, var_velocity_;
};

/// One video or stream.
class ByteTracker {
 public:
  explicit ByteTracker(const TrackOptions& options) : options_(options) {}

  /// The detections of the next frame, in any order, all above TrackOptions::low. Returns those
  /// that belong to a track, in their order, with Detection::track set: numbers from 1 that are
  /// never used again.
  std::vector<Detection> update(std::span<const Detection> detections);
  std::uint64_t tracks() const { return next_ - 1; }  ///< begun so far

 private:
  struct Track {
    std::uint64_t number;
    int class_index;
    std::array<EvenMotion, 4> motion;  ///< centre x, centre y, width, height
    std::int64_t seen;                 ///< last frame
    Xyxy box() const;
  };

  Track begin(const Detection& detection);
  void predict();
  void go_on(Track& track, const Detection& detection);
  /// Pairs tracks of `who` with detections of `which`; both lists lose what found a partner.
  void associate(std::span<const Detection> detections, std::vector<std::size_t>& who,
                 std::vector<std::size_t>& which, std::vector<std::uint64_t>& numbers);
  void forget();

  TrackOptions options_;
  std::vector<Track> tracks_;
  std::uint64_t next_ = 1;
  std::int64_t frame_ = 0;
};

}  // namespace yolov7::runtime
