#pragma once
// Part of a data set.
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/arrange/set_output.hpp"
#include "dataset/formats/conversion.hpp"
#include "dataset/split/assignment.hpp"

namespace yolov7::dataset {

struct SubsetOptions {
  std::filesystem::path data, out;
  std::vector<std::string> splits;           ///< only images of these; empty = all
  std::vector<std::string> with_classes;     ///< only images that have a box of one of these
  std::vector<std::string> only_classes;     ///< boxes of other classes are dropped, images stay
  std::filesystem::path list;                ///< only images that this list names
  std::size_t count = 0;                     ///< so many of each split at most; 0 = all
  double percent = 100;                      ///< of each split
  SplitMethod method = SplitMethod::random;  ///< how those are chosen
  Placement placement = Placement::list;
  std::uint64_t seed = 0;
  int threads = 0;
  std::stop_token stop = {};
};

/// Writes `out`, all or nothing, with conversion.json: what is left out is counted there by name.
/// Conditions are taken one after the other: split, list, classes, count. Errors: no condition at
/// all (usage); as of gather_set(); a class that the set lacks; lists where boxes are dropped,
/// since the labels stay with the source; an image of the list that is not in the set; nothing is
/// left; `out` not empty or inside of the data; a full disk; stopped_error().
Conversion subset(const SubsetOptions& options);

}  // namespace yolov7::dataset
