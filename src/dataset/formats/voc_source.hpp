#pragma once
// What a Pascal VOC folder holds: annotations, pictures and lists wherever they lie below it, and
// which belong together.
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/voc.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset {

/// Paths relative to `root`, sorted; hidden files and folders are left out.
struct VocFiles {
  std::filesystem::path root;
  std::vector<std::filesystem::path> annotations, pictures, lists;
  std::vector<Problem> skipped;  ///< links that lead out of root, folders that cannot be read
};

/// Links to folders are not entered (inside root their target is visited anyway). Error: `source`
/// is no folder.
VocFiles find_voc_files(const std::filesystem::path& source);

struct VocItem {
  std::filesystem::path file;  ///< the XML, relative to the root
  VocAnnotation annotation;
  std::string fault;                   ///< why it cannot be used: broken XML, no picture
  std::optional<std::size_t> picture;  ///< index into VocFiles::pictures
  std::string split;                   ///< "train", "val", "test"; empty = left out
};

/// Reads all annotations on up to `threads` threads; a broken one has a fault.
/// Error: stopped_error().
std::vector<VocItem> read_annotations(const VocFiles& files, int threads,
                                      const std::stop_token& stop = {});
/// Finds each item's picture: by <filename>, then by the XML's own stem. Among pictures of one name
/// the one whose folder is nearest to the XML's. No picture belongs to two items: the one of the
/// same stem has it.
void assign_pictures(const VocFiles& files, std::vector<VocItem>& items);

}  // namespace yolov7::dataset
