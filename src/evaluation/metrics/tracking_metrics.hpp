#pragma once
// How well objects were followed: CLEAR MOT (Bernardin and Stiefelhagen 2008) and the identity
// metrics (Ristani et al. 2016).
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::evaluation {

struct TrackedBox {
  std::int64_t track = 0;
  Xyxy box;
};
/// By frame number.
using TrackedFrames = std::map<std::int64_t, std::vector<TrackedBox>>;

struct TrackingResult {
  std::size_t frames = 0, objects = 0,
              predictions = 0;  ///< objects and predictions: boxes in all frames
  std::size_t matches = 0, switches = 0, false_positives = 0, misses = 0;
  std::size_t identity_true_positives = 0;
  double mota = 0, motp = 0;  ///< MOTP: mean IoU distance (1 − IoU) of the matches; NaN without any
  double idf1 = 0, idp = 0, idr = 0;
};

/// An object and a prediction may go together where their IoU is at least `iou_thres`. Per frame,
/// an object keeps the prediction that it had last where that is still allowed; the rest is
/// assigned with the most pairs, then the least distance. A switch: an object whose prediction is
/// another than its last one.
TrackingResult tracking_metrics(const TrackedFrames& truth, const TrackedFrames& predictions,
                                double iou_thres = 0.5);

/// MOTChallenge text: frame, track, left, top, width, height, and more that is not looked at; of
/// the truth, rows whose seventh value is 0 are to be ignored and are left out. Errors name file
/// and line: too few values, a number that is none, a track twice in one frame.
TrackedFrames read_tracks(const std::filesystem::path& path, bool truth);
/// The same from text; `source` names it in errors.
TrackedFrames parse_tracks(std::string_view content, const std::string& source, bool truth);

}  // namespace yolov7::evaluation
