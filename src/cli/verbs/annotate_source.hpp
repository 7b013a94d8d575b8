#pragma once
// Which images annotate looks at: those that no person has labelled.
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "runtime/frames/sources.hpp"

namespace yolov7::cli {

struct AnnotateSource {
  std::vector<runtime::SourcePicture> pictures;  ///< without labels
  std::vector<runtime::SourceVideo> videos;      ///< whose frames are images without labels
  /// All images in the order of the source, the labelled ones too.
  std::vector<std::filesystem::path> all_images;
  std::size_t labelled = 0;        ///< left out: people have labelled them
  std::size_t unusable = 0;        ///< left out: their labels cannot be read, and are none of ours
  std::vector<std::string> names;  ///< classes, where the source is a data set
  std::vector<std::filesystem::path> folders;  ///< that are read
};

/// `source`: a data set of any format, or images and videos. An image is labelled where its data
/// set has an annotation of it (one that says it is empty, too), where a label file stands beside
/// it, or where it is one of `labelled` (canonical paths). Errors: those of reading; a camera or a
/// stream; no image is left.
AnnotateSource annotate_source(const std::string& source,
                               const std::set<std::filesystem::path>& labelled);

}  // namespace yolov7::cli
