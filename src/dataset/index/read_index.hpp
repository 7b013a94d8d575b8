#pragma once
// Reads and checks a split (data 4, 5).
#include <functional>
#include <opencv2/core/mat.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

/// For who wants to know more than the index holds: every image as it was found, and its pixels
/// while it is decoded. The functions may be empty.
struct Examination {
  /// Before any image is read: all of them, sorted. The others are called with places in this list.
  std::function<void(const std::vector<std::filesystem::path>& pictures)> begin;
  /// Whether what look() would tell is known already for this state of the file.
  std::function<bool(std::size_t picture, const FileStamp& stamp)> known;
  /// From several threads.
  std::function<void(std::size_t picture, std::string_view bytes, const cv::Mat& bgr)> look;
  std::vector<PictureFacts> facts;               ///< of every image, unusable ones too
  std::vector<std::filesystem::path> orphans{};  ///< label files without an image
};

struct IndexOptions {
  bool single_cls = false;
  bool strict = false;
  bool recheck = false;   ///< read every picture again, whatever size and time say
  bool training = false;  ///< no label at all is an Error
  int threads = 0;        ///< 0 = usable cores
  std::stop_token stop = {};
  /// Filled where it is not null. A class that the description does not know, and a split without
  /// any usable image, are then problems in the index instead of Errors.
  Examination* examination = nullptr;
};

/// Reads one split with the help of our own cache (beside the labels, or in the user's cache folder
/// where that is read only). Says counts and problems through log. Errors: no pictures, no labels
/// (training), class out of range, stopped_error(); the cache is then as before.
Index read_index(const Description& description, const std::string& split,
                 const IndexOptions& options);

}  // namespace yolov7::dataset
