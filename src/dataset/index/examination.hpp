#pragma once
// What the reader of a split tells beside the index (doctor/subject).
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

/// A label file as it was found.
struct LabelText {
  const std::filesystem::path& path;
  bool found = false;
  std::string_view text;  ///< as UTF-8; empty where it cannot be read
  std::string fault;      ///< why not, or ""
};

/// For who wants to know more than the index holds: every image as it was found, its label file,
/// and its pixels while it is decoded. Each file is read for the index and for this at once. The
/// functions may be empty.
struct Examination {
  /// Of data.yaml, or as the shape of all rows tells it. Set whenever label() is called.
  int key_point_columns = 0;
  /// Before any label or image is read: all images, sorted. The others are called with places in
  /// this list.
  std::function<void(const std::vector<std::filesystem::path>& pictures)> begin;
  /// From several threads. Called for all images again where all rows together turn out to hold key
  /// points. Not called for a set in another format than data.yaml.
  std::function<void(std::size_t picture, const LabelText& label)> label;
  /// Before known() is called: where the facts of the images are kept; empty = nowhere.
  std::function<void(const std::filesystem::path& cache_file)> opened;
  /// Whether what look() would tell is known already for an image of these facts. From several
  /// threads.
  std::function<bool(std::size_t picture, const PictureFacts& facts)> known;
  /// From several threads.
  std::function<void(std::size_t picture, std::string_view bytes, const PicturePlanes& planes)>
      look;
  std::vector<PictureFacts> facts;               ///< of every image, unusable ones too
  std::vector<std::filesystem::path> orphans{};  ///< label files without an image
};

/// The same for open_data(), which decodes the images of annotations before their splits are known.
/// `rows`: the labels that the image is expected to have, as text. The functions are called as
/// those of Examination.
struct ImageLooks {
  std::function<void(const std::filesystem::path& cache_file)> opened;
  std::function<bool(const std::string& rows, const PictureFacts& facts)> known;
  std::function<void(const std::string& rows, std::string_view bytes, const PicturePlanes& planes)>
      look;
};

}  // namespace yolov7::dataset
