#pragma once
// detections.csv: a line for each object.
#include <filesystem>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/results/result_stream.hpp"

namespace yolov7::runtime {

inline constexpr const char* detection_table_header =
    "source,frame,seconds,class,name,score,x1,y1,x2,y2,track\n";

/// One line with its line feed; the frame of an image is 0.
std::string detection_row(const Frame& frame, const Detection& detection,
                          const std::string& class_name);

class DetectionTable {
 public:
  DetectionTable(const std::filesystem::path& path, std::vector<std::string> names);
  void write(const Frame& frame, const std::vector<Detection>& detections);
  void finish() { file_.close(); }

 private:
  ResultStream file_;
  std::vector<std::string> names_;
};

}  // namespace yolov7::runtime
