#pragma once
// COCO's result format (evaluation 1.11): one line for an object, and the file that grows with a
// run.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/results/result_stream.hpp"

namespace yolov7::runtime {

/// To so many parts of one, halves to the even neighbour: how boxes (1,000) and scores (100,000)
/// stand in result files.
double rounded(double value, double parts);

/// {"image_id":…,"category_id":…,"bbox":[left, top, width, height],"score":…}; `image_id` is JSON,
/// `more` further members, each with a comma in front.
std::string coco_result(const std::string& image_id, std::int64_t category_id,
                        const Detection& detection, const std::string& more = {});

/// predictions.json of detect, with file_name, category_name, and where they are known frame,
/// seconds and track_id. It appears under its name when it is finished.
class CocoResults {
 public:
  CocoResults(std::filesystem::path path, std::vector<std::string> names);
  void write(const Frame& frame, const std::string& image_id,
             const std::vector<Detection>& detections);
  void finish();

 private:
  std::filesystem::path path_, partial_;
  std::vector<std::string> names_;
  ResultStream file_;
  bool first_ = true;
};

}  // namespace yolov7::runtime
