#pragma once
// What the reader of a split tells beside the index (doctor/subject).
#include <cstddef>
#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string_view>
#include <vector>

#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

/// For who wants to know more than the index holds: every image as it was found, and its pixels
/// while it is decoded. The functions may be empty.
struct Examination {
  /// Of data.yaml, or as the shape of all rows tells it. Set before begin() is called.
  int key_point_columns = 0;
  /// Before any image is read: all of them, sorted. The others are called with places in this list.
  std::function<void(const std::vector<std::filesystem::path>& pictures)> begin;
  /// Whether what look() would tell is known already for this state of the file.
  std::function<bool(std::size_t picture, const FileStamp& stamp)> known;
  /// From several threads.
  std::function<void(std::size_t picture, std::string_view bytes, const cv::Mat& bgr)> look;
  std::vector<PictureFacts> facts;               ///< of every image, unusable ones too
  std::vector<std::filesystem::path> orphans{};  ///< label files without an image
};

}  // namespace yolov7::dataset
