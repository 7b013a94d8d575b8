#pragma once
// What detect leaves in its run folder (evaluation 3.5, 3.6, 3.9): annotated pictures and videos,
// label files, crops, tables.
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"
#include "image/drawing/draw.hpp"
#include "runtime/frames/frames.hpp"

namespace yolov7::cli {

/// One line per detection in ascending score: class cx cy w h [score] [track], normalised by the
/// picture, %g.
std::string label_lines(const std::vector<Detection>& detections, cv::Size picture,
                        bool with_confidence, bool with_track);

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
  DetectWriter(std::filesystem::path folder, std::vector<std::string> names,
               const Options& options);
  ~DetectWriter();

  /// Label file and tables; in the order of the frames. The label file of a name is replaced when
  /// the run first meets it, and removed if there is nothing in it; a second picture of the same
  /// stem appends, with a warning.
  void record(const runtime::Frame& frame, const std::vector<Detection>& detections);
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
  void write_tracks(const runtime::Frame& frame, const std::vector<Detection>& detections);
  void write_rows(const runtime::Frame& frame, const std::vector<Detection>& detections);
  std::filesystem::path label_path(const runtime::Frame& frame) const;
  Video& video_of(const runtime::Frame& frame);

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  Options options_;
  std::map<std::filesystem::path, std::string> first_source_;  // by label file
  std::map<std::filesystem::path, std::unique_ptr<Video>> videos_;
  std::map<std::filesystem::path, std::ofstream> tracks_;
  std::ofstream csv_, json_;
  bool json_first_ = true;
};

}  // namespace yolov7::cli
