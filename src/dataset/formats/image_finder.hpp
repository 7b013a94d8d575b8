#pragma once
// Which image an annotation means. Annotations carry paths of other computers, of servers and of
// other file systems; each step away from what is written is told.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/source_tree.hpp"

namespace yolov7::dataset {

enum class FoundBy { path, end_of_path, name, stem, stem_ignoring_case };

struct FoundImage {
  std::optional<std::size_t> image;  ///< index into SourceTree::images
  std::string note;                  ///< how it was found, if not at the path that is written
  std::string fault;                 ///< why none is taken: no such image, or several that fit
  FoundBy by = FoundBy::path;
};

class ImageFinder {
 public:
  explicit ImageFinder(const SourceTree& tree);

  /// In this order: `written` below one of `folders` (relative to the root; the root itself is
  /// tried, too); its longest end that exists there; an image of the same name anywhere, the one
  /// nearest to what is written and to `annotation`; one of the same stem; one of the same stem
  /// ignoring case. Blanks written as "_" and percent signs of URLs are no step of their own:
  /// readers undo them. Two that fit equally well are a fault: a guess could be silently wrong.
  FoundImage find(std::string_view written, const std::filesystem::path& annotation,
                  const std::vector<std::filesystem::path>& folders = {}) const;
  /// find(), put into `image`; the note goes to `notes`.
  void assign(AnnotatedImage& image, const std::vector<std::filesystem::path>& folders,
              std::vector<Problem>& notes) const;
  /// The image of this stem, whatever its extension, which is no guess: for annotation files that
  /// name none. `stem` goes to image.written if that is empty.
  void assign_by_stem(AnnotatedImage& image, const std::string& stem,
                      const std::vector<std::filesystem::path>& folders,
                      std::vector<Problem>& notes) const;
  /// Exactly this path, or nothing.
  std::optional<std::size_t> at(const std::filesystem::path& relative) const;

 private:
  using Places = std::unordered_map<std::string, std::vector<std::size_t>>;
  FoundImage nearest(const std::vector<std::size_t>& candidates, const std::filesystem::path& like,
                     const std::filesystem::path& annotation, FoundBy by) const;

  const SourceTree& tree_;
  std::unordered_map<std::string, std::size_t> by_path_;
  Places by_name_, by_stem_, by_lower_stem_;
};

/// Slashes for backslashes, without a drive ("C:"), a scheme and host ("https://host/") and a query
/// ("?x"); nothing is ever fetched.
std::string plain_path(std::string_view written);
/// %20 and the like undone; a broken escape stays.
std::string percent_decoded(std::string_view text);
/// Two records of one image: exact ones are joined with a note, one that was found by a guess gives
/// way and gets a fault. Returns how many records were joined to others.
std::size_t settle_claims(AnnotatedSet& set, const SourceTree& tree, std::vector<Problem>& notes);

}  // namespace yolov7::dataset
