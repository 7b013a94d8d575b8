#pragma once
// Images that belong together: chains of pairs, equal keys, names.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace yolov7::dataset::similarity {

/// Sets of indices that are joined pair by pair (union-find).
class Groups {
 public:
  explicit Groups(std::size_t count);
  void join(std::size_t a, std::size_t b);
  /// Joins all whose keys are equal; empty keys join nothing.
  void join_equal(const std::vector<std::string>& keys);
  /// The smallest index of the group.
  std::size_t of(std::size_t index) const;
  std::size_t size_of(std::size_t index) const;
  /// Groups of two and more, each in rising order, by their first member.
  std::vector<std::vector<std::size_t>> several() const;
  /// For each index the smallest one of its group.
  std::vector<std::size_t> all() const;

 private:
  std::size_t root(std::size_t index) const;
  mutable std::vector<std::size_t> parent_;
  std::vector<std::size_t> size_;
};

/// A regular expression (ECMAScript) that a file's path must contain, and whose first bracket is
/// the group: "^(patient\d+)_" . Error (usage): not an expression, or without a bracket; `option`
/// is how the message calls the setting.
class NamePattern {
 public:
  NamePattern(const std::string& expression, const std::string& option);
  /// Of the path with "/" as separator; nothing where it does not match or the bracket is empty.
  std::optional<std::string> group_of(const std::filesystem::path& path) const;

 private:
  std::regex expression_;
};

/// The video or sequence that an image seems to be a frame of, from its name: what stands before a
/// name of a video ("ride_mp4-12_jpg.rf.0a1b…" → "ride_mp4"), or before the last digits ("clip_07"
/// → "clip"); with the folders, but for those that name a split or hold all images or labels.
/// Empty: neither is there.
std::string video_of(const std::filesystem::path& path);

}  // namespace yolov7::dataset::similarity
