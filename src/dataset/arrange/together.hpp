#pragma once
// Which images of a set must stay in one split.
#include <cstddef>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "dataset/arrange/gathered_set.hpp"
#include "dataset/similarity/groups.hpp"

namespace yolov7::dataset {

struct TogetherOptions {
  bool similarity = false;  ///< near duplicates and chains of them
  bool video = false;       ///< frames of one video, by their names
  std::string pattern;      ///< a regular expression whose first bracket is the group; "" = none
  int threads = 0;
  std::stop_token stop = {};
};

struct Together {
  similarity::Groups groups{0};   ///< over the images of the set
  std::vector<std::string> keys;  ///< of each image: its named group, else its content
  /// Pairs that may not be parted, for the check afterwards: equal files and pixels, near
  /// duplicates, and members of named groups with the first one.
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::size_t equal = 0, near = 0, named = 0;  ///< pairs of each kind
  std::size_t plain = 0;    ///< images without structure: compared by their pixels alone
  std::size_t unnamed = 0;  ///< images whose names give no group
};

/// Equal files always stay together. Errors: the pattern is none; stopped_error().
Together find_together(const GatheredSet& set, const TogetherOptions& options);

/// Pairs whose images are in different parts.
std::size_t parted(const Together& together, const std::vector<std::string>& splits);

}  // namespace yolov7::dataset
