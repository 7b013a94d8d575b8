#pragma once
// What detect leaves in its run folder: annotated pictures and label files (evaluation 3.5, 3.6, 3.9).
#include <filesystem>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "image/box.hpp"
#include "image/draw.hpp"

namespace yolov7::cli {

/// One line per detection in ascending score: class cx cy w h [score], normalised by the picture, %g.
std::string label_lines(const std::vector<Detection>& detections, cv::Size picture, bool with_confidence);

class DetectWriter {
 public:
  struct Options {
    bool labels = false, confidences = false, pictures = true;
    DrawOptions draw;
  };
  DetectWriter(std::filesystem::path folder, std::vector<std::string> names, Options options);

  /// `relative`: where the results of this source picture belong. Draws into `bgr`. The label file of a name is
  /// replaced when the run first meets it, and removed if there is nothing in it; a second picture of the same stem
  /// appends, with a warning. Returns the annotated picture's path, empty if none is written.
  std::filesystem::path write(const std::filesystem::path& source, const std::filesystem::path& relative, cv::Mat& bgr,
                              const std::vector<Detection>& detections);

 private:
  void write_labels(const std::filesystem::path& source, const std::filesystem::path& relative, cv::Size picture,
                    const std::vector<Detection>& detections);
  std::filesystem::path write_picture(const std::filesystem::path& relative, cv::Mat& bgr, const std::vector<Detection>& detections) const;

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  Options options_;
  std::map<std::filesystem::path, std::filesystem::path> first_source_;  // by label file
};

}  // namespace yolov7::cli
