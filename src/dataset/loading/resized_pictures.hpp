#pragma once
// Pictures of an index, decoded and resized to the long side s (data 7.1), kept in memory within a
// budget. The result is the same with and without that memory.
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/index/index.hpp"

namespace yolov7::dataset {

/// 8-bit B G R with the long side s: area interpolation when shrinking for validation, otherwise
/// bilinear. `scaled_decoding`: a JPEG of at least twice that size is decoded at a fraction of its
/// own, which is faster and gives other pixels. Error: the picture cannot be decoded; names the
/// file.
cv::Mat load_resized(const std::filesystem::path& path, int s, bool augment,
                     cv::Size* original = nullptr, bool scaled_decoding = false);

class ResizedPictures {
 public:
  /// The index must outlive this. `budget_bytes` 0 keeps nothing.
  ResizedPictures(const Index& index, int s, bool augment, std::size_t budget_bytes,
                  bool scaled_decoding = false);

  struct Loaded {
    cv::Mat picture;  ///< shared: never write into it
    cv::Size original;
  };
  /// Any number of threads. What is kept is never given up: a training epoch visits everything, so
  /// that throwing out the oldest would throw out what is needed next.
  Loaded get(std::size_t entry);
  /// How many pictures of the index fit into the budget, in index order.
  std::size_t fitting() const;
  /// Never more than the budget.
  std::size_t bytes_kept() const;
  /// How often a picture was read from its file.
  std::size_t decoded() const { return decoded_; }

 private:
  const Index& index_;
  int s_;
  bool augment_, scaled_decoding_;
  std::size_t budget_;
  mutable std::mutex mutex_;
  std::vector<Loaded> kept_;  ///< an empty picture: not there
  std::size_t bytes_ = 0;
  std::atomic<std::size_t> decoded_{0};
};

}  // namespace yolov7::dataset
