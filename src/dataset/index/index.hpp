#pragma once
// A split, read and checked (data 4, 5): pictures with sizes, labels, content hashes, and
// everything that was dropped.
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dataset/index/description.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset {

struct Entry {
  std::filesystem::path picture;
  int width = 0, height = 0;  ///< after EXIF orientation
  std::vector<Label> labels;
  bool has_label_file = false;
  std::string content_hash;  ///< of the picture file
};

struct Index {
  std::string split;               ///< "train", "val", "test"
  std::vector<std::string> names;  ///< classes
  std::vector<Entry> entries;      ///< sorted by path; corrupt pictures are not among them
  std::size_t found = 0, missing = 0, empty = 0,
              corrupt = 0;              ///< label files found/missing/empty, pictures left out
  std::size_t unread = 0;               ///< videos, and images of kinds that could not be read here
  std::size_t absent = 0;               ///< lines of image lists whose image does not exist
  std::size_t unknown_classes = 0;      ///< rows of classes that the description does not know …
  std::size_t unknown_class_files = 0;  ///< … in so many label files, whose images are left out
  std::vector<Problem> problems;        ///< every dropped picture and row
  std::size_t truncated = 0;   ///< pictures that are used although their file lacks the end
  std::vector<Problem> notes;  ///< nothing was dropped, but look at it: truncated pictures
  std::string
      identity;  ///< hash over names, picture hashes and labels, in order; paths do not count
  std::size_t orphan_labels =
      0;  ///< label files whose picture does not exist; they are among the problems
  std::size_t pictures_read = 0;     ///< decoded by this call; the cache vouched for the others
  std::filesystem::path cache_file;  ///< where the cache lies; empty if no place could be written

  std::size_t label_count() const;
  std::vector<std::size_t> class_histogram() const;
};

/// Hash over the picture file and the labels of one entry; what Index::identity is made of.
std::string identity(const Entry& entry);

/// Pictures that occur in both, by content hash: pairs of paths. The caller warns.
std::vector<std::pair<std::filesystem::path, std::filesystem::path>> shared_pictures(
    const Index& a, const Index& b);

}  // namespace yolov7::dataset
