#pragma once
// A pool of images as a detector sees it; what active select chooses from, and annotate labels.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/model.hpp"
#include "dataset/similarity/sketch.hpp"
#include "image/boxes/box.hpp"
#include "image/codec/truncated.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {

struct PoolImage {
  std::filesystem::path path;
  int width = 0, height = 0;
  std::vector<Detection> detections;  ///< pixels of the image
  std::vector<Detection> mirrored;    ///< pixels of the mirrored image; empty without that pass
  std::unique_ptr<dataset::similarity::Sketch> sketch;  ///< 4.5 kB; with PoolOptions::sketches
  std::vector<std::uint8_t> thumbnail;  ///< B G R, active::thumbnail_side squared; with
                                        ///< PoolOptions::thumbnails
};

struct Pool {
  std::vector<PoolImage> images;        ///< in the order of the source
  std::vector<std::string> unreadable;  ///< "path: reason"
  bool mirrored = false;                ///< it was looked at a second time
};

struct PoolOptions {
  runtime::LookOptions look;
  bool mirrored = false;    ///< look at each image a second time, mirrored left to right
  bool sketches = true;     ///< for the comparison of images with each other
  bool thumbnails = false;  ///< for the comparison of neighbouring frames
};

using Workers = std::vector<std::unique_ptr<runtime::Detector>>;
/// As many detectors of the model as keep the machine busy; they take the model's own.
Workers pool_workers(api::OpenModel& model);

/// Takes the images out whose paths the JSON file of this name cannot hold: "path: reason".
std::vector<std::string> take_unnamable(std::vector<runtime::SourcePicture>& pictures,
                                        const std::string& file);

/// One pass over the pool, a second one if `mirrored`. Images that cannot be read, or whose
/// prediction is not finite, are named. Errors: those of the detector; stopped_error().
Pool look_at_pool(const std::vector<runtime::SourcePicture>& pictures, const Workers& workers,
                  const PoolOptions& options);

}  // namespace yolov7::cli
