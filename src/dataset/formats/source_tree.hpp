#pragma once
// Everything below a source of annotations, from one walk through its folders.
#include <cstdint>
#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/index/label.hpp"

namespace yolov7::dataset {

struct TreeImage {
  std::filesystem::path relative;  ///< to the root, or to the further folder it was found in
  std::filesystem::path file;      ///< to open it
};

/// Paths relative to `root`, sorted; hidden files and folders are left out.
struct SourceTree {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;  ///< all but images
  std::vector<TreeImage> images;             ///< read here or not, no videos
  /// One annotation file was named: it says which images are meant, and others around it are none
  /// of its set.
  bool one_file = false;
  std::filesystem::path source;  ///< what was named: the root, or that file
  std::vector<Problem> skipped;  ///< links that lead out of root, folders that cannot be read

  /// Files with this extension (".json", any case).
  std::vector<std::filesystem::path> with_extension(std::string_view extension) const;
  bool has(const std::filesystem::path& relative) const;  ///< among `files`
  std::set<std::string> image_stems() const;  ///< file names of images without their suffix
  /// The whole file as UTF-8, by the encoding that it declares (core/encoding.hpp). Errors name it:
  /// a size over `most_bytes`, an encoding that is not known.
  std::string read(const std::filesystem::path& relative,
                   std::uint64_t most_bytes = std::uint64_t{4} << 30) const;
  /// Its first bytes, at most `bytes`; empty if it cannot be read.
  std::string head(const std::filesystem::path& relative, std::size_t bytes = 65'536) const;
};

/// `source`: a folder, or one annotation file, whose folder is the root and which is then the only
/// one of its extension. `further_images`: another folder with images, or empty. Links to folders
/// are not entered (inside root their target is visited anyway). Errors: `source` does not exist
/// (`expected` says what should be there); stopped_error().
SourceTree walk_source(const std::filesystem::path& source,
                       const std::filesystem::path& further_images = {},
                       std::string_view expected = "a folder with annotations",
                       const std::stop_token& stop = {});

}  // namespace yolov7::dataset
