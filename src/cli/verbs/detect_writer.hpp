#pragma once
// What detect leaves in its run folder (evaluation 3.5, 3.6, 3.9): annotated images and videos,
// and the files of runtime/results.
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/output_guard.hpp"
#include "image/boxes/box.hpp"
#include "image/drawing/draw.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/results/coco_results.hpp"
#include "runtime/results/detection_table.hpp"
#include "runtime/results/result_names.hpp"
#include "runtime/results/tracks.hpp"

namespace yolov7::cli {

class DetectWriter {
 public:
  struct Options {
    bool labels = false, confidences = false, tracks = false, pictures = true, crops = false,
         viewed = false, json = false, csv = false;
    DrawOptions draw;
    int stride = 1;  ///< every n-th frame of a video is here
    std::string codec = "mpeg4";
    const runtime::VideoLibrary* videos = nullptr;  ///< needed for annotated videos
  };
  /// `results` and `guard` must outlive the writer; the guard holds the claims of planned().
  DetectWriter(std::filesystem::path folder, std::vector<std::string> names,
               const runtime::ResultNames& results, OutputGuard& guard, const Options& options);
  ~DetectWriter();

  /// Every result whose name is known before the run; those of frames and crops are checked one by
  /// one.
  static std::vector<std::filesystem::path> planned(const std::filesystem::path& folder,
                                                    const runtime::ResultNames& results,
                                                    const Options& options);

  /// Label file and tables; in the order of the frames. The label file of an image is replaced, and
  /// removed if there is nothing in it.
  void record(const runtime::Frame& frame, const std::vector<Detection>& detections);
  /// Label file and annotated image of an image that has no result now, from an earlier run into
  /// this folder.
  void remove_earlier(const runtime::Frame& frame) const;
  /// Crops, then boxes drawn into the frame if anybody will see it, then a picture's file; from any
  /// thread.
  void draw(runtime::Frame& frame, const std::vector<Detection>& detections) const;
  /// The frame of a video or stream; in order.
  void deliver(const runtime::Frame& frame);
  /// Closes videos and tables; predictions.json appears now.
  void finish();

 private:
  struct Video;
  void write_labels(const runtime::Frame& frame, const std::vector<Detection>& detections);
  void write_crops(const runtime::Frame& frame, const std::vector<Detection>& detections) const;
  Video& video_of(const runtime::Frame& frame);

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  const runtime::ResultNames& results_;
  OutputGuard& guard_;
  Options options_;
  std::map<std::filesystem::path, std::unique_ptr<Video>> videos_;
  runtime::TrackFiles tracks_;
  std::optional<runtime::DetectionTable> csv_;
  std::optional<runtime::CocoResults> json_;
};

}  // namespace yolov7::cli
