#pragma once
// What a Pascal VOC folder holds: annotations, pictures and lists wherever they lie below it, and
// which belong together.
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/image_finder.hpp"
#include "dataset/formats/source_tree.hpp"
#include "dataset/formats/voc.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset {

/// Paths relative to `root`, sorted.
struct VocFiles {
  std::filesystem::path root;
  std::vector<std::filesystem::path> annotations, pictures, lists;
};

VocFiles voc_files(const SourceTree& tree);

struct VocItem {
  std::filesystem::path file;  ///< the XML, relative to the root
  VocAnnotation annotation;
  std::string fault;                   ///< why it cannot be used: broken XML, no picture
  std::optional<std::size_t> picture;  ///< index into VocFiles::pictures, SourceTree::images
  std::string split;                   ///< "train", "val", "test"; empty = left out
};

/// Reads all annotations on up to `threads` threads; a broken one has a fault.
/// Error: stopped_error().
std::vector<VocItem> read_annotations(const VocFiles& files, int threads,
                                      const std::stop_token& stop = {});
/// Finds each item's picture: by <filename>, then by the XML's own stem, then by either with
/// another extension or in other letters, which is noted. Among pictures of one name the one whose
/// folder is nearest to the XML's. No picture belongs to two items: the one of the same stem has
/// it.
void assign_pictures(const VocFiles& files, const ImageFinder& finder, std::vector<VocItem>& items,
                     std::vector<Problem>& notes);

}  // namespace yolov7::dataset
