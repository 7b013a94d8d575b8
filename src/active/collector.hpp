#pragma once
// Doubtful images and frames of a detector at work, kept for people to label (docs/active.md).
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "dataset/similarity/seen.hpp"
#include "image/boxes/box.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::active {

struct CollectOptions {
  std::filesystem::path folder;
  double below = 0.7;         ///< doubtful: a detection below this
  double least = 0.25;        ///< detections from this on count
  int per_hour = 60;          ///< at most so many in any 3,600 s; 0 = no limit
  double megabytes = 1024;    ///< of the folder, 1,048,576 bytes each
  bool keep_similar = false;  ///< near duplicates of what was kept, too
};

struct CollectedImage {
  const cv::Mat& bgr;               ///< as the detector saw it, nothing drawn
  std::filesystem::path file = {};  ///< the image file, which is copied; empty: bgr is written
  std::string source;               ///< path or address, without credentials
  std::size_t frame = 0;            ///< in a video or stream
  std::span<const Detection> detections;
};

enum class Collected { kept, not_doubtful, similar, over_rate, over_space };

struct CollectCounts {
  std::size_t looked_at = 0, doubtful = 0, kept = 0, similar = 0, over_rate = 0, over_space = 0;
};

/// `folder` holds images/, collected.jsonl (a line for each image: source, frame, time,
/// detections) and, after finish(), predictions.json (COCO with scores), of this run and earlier
/// ones. One process at a time. Nothing is deleted or replaced but predictions.json; a killed
/// process loses no line. Of the images, the newest 5,000 are compared.
class Collector {
 public:
  /// `names`: classes; `model`: path of the weights, for the lines. Errors: a folder with something
  /// else in it; another process has it; a line that is broken; other classes than in its lines.
  Collector(CollectOptions options, std::vector<std::string> names, std::string model);
  /// `now`: seconds since 1970. Errors: a full disk, an image file that cannot be copied.
  Collected offer(const CollectedImage& image, double now);
  const CollectCounts& counts() const { return counts_; }
  /// Writes predictions.json from collected.jsonl.
  void finish() const;

 private:
  void read_earlier();
  bool limit_reached(double now);
  std::filesystem::path free_name(const CollectedImage& image, const std::string& suffix);

  CollectOptions options_;
  std::vector<std::string> names_;
  std::string model_;
  std::optional<file::Lock> lock_;
  dataset::similarity::SeenImages seen_;
  std::deque<double> times_;  ///< of what was kept in the last hour
  std::uint64_t bytes_ = 0;
  std::size_t number_ = 0;
  CollectCounts counts_;
};

}  // namespace yolov7::active
