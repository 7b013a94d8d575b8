#include "dataset/loading/resized_pictures.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/codec/codec.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

std::size_t bytes_of(cv::Size size) {
  return 3 * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

}  // namespace

cv::Mat load_resized(const std::filesystem::path& path, int s, bool augment, cv::Size* original,
                     bool scaled_decoding) {
  const auto [picture, width, height, orientation, rows] =
      read_reduced_picture(path, scaled_decoding ? s : 0);
  const cv::Size whole(width, height);
  if (original) *original = whole;
  const cv::Size wanted = resized_size(whole, s);
  if (picture.size() == wanted) return picture;
  const bool shrink = s < std::max(picture.cols, picture.rows);
  cv::Mat resized;
  cv::resize(picture, resized, wanted, 0, 0,
             shrink && !augment ? cv::INTER_AREA : cv::INTER_LINEAR);
  return resized;
}

ResizedPictures::ResizedPictures(const Index& index, int s, bool augment, std::size_t budget_bytes,
                                 bool scaled_decoding)
    : index_(index),
      s_(s),
      augment_(augment),
      scaled_decoding_(scaled_decoding),
      budget_(budget_bytes),
      kept_(index.entries.size()) {}

ResizedPictures::Loaded ResizedPictures::get(std::size_t entry) {
  {
    std::lock_guard lock(mutex_);
    if (!kept_[entry].picture.empty()) return kept_[entry];
  }
  ++decoded_;
  Loaded loaded;
  loaded.picture =
      load_resized(index_.entries[entry].picture, s_, augment_, &loaded.original, scaled_decoding_);
  const std::size_t bytes = bytes_of(loaded.picture.size());
  std::lock_guard lock(mutex_);
  if (kept_[entry].picture.empty() && bytes_ + bytes <= budget_) {
    kept_[entry] = loaded;
    bytes_ += bytes;
  }
  return loaded;
}

std::size_t ResizedPictures::fitting() const {
  std::size_t bytes = 0, count = 0;
  for (const Entry& entry : index_.entries) {
    bytes += bytes_of(resized_size({entry.width, entry.height}, s_));
    if (bytes > budget_) break;
    ++count;
  }
  return count;
}

std::size_t ResizedPictures::bytes_kept() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace yolov7::dataset
