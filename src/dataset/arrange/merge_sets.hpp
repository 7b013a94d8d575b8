#pragma once
// Data sets put together, and data sets with other classes.
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/arrange/class_map.hpp"
#include "dataset/arrange/set_output.hpp"
#include "dataset/formats/conversion.hpp"

namespace yolov7::dataset {

/// What is done where two sets have the same image with other labels.
enum class Prefer { neither, first, last };

struct MergeOptions {
  std::vector<std::filesystem::path> data;  ///< one: its classes are changed
  std::filesystem::path out;
  std::vector<ClassChange> changes;
  std::vector<std::string> names;  ///< order of the classes; empty = as they come
  Prefer prefer = Prefer::neither;
  Placement placement = Placement::copy;  ///< or link
  int threads = 0;
  std::stop_token stop = {};
};

/// Writes `out`, all or nothing, with conversion.json. Splits stay as they are. An image that is in
/// several sets (the same bytes) is taken once, in the last of its splits (val after train, test
/// after val); the others are named. Errors: as of gather_set() and join_classes(); the same image
/// with other labels, unless `prefer` says whose; `out` not empty or inside of a source; a full
/// disk; stopped_error().
Conversion merge_sets(const MergeOptions& options);

/// Labels under other classes; boxes of dropped classes, and those that become equal, are named in
/// the account.
std::vector<Label> mapped_labels(const GatheredImage& image, const std::vector<int>& map,
                                 const std::vector<std::string>& old_names, Conversion& account);

/// Adds the counts, drops and notes of one account to another.
void add_account(Conversion& sum, Conversion one);

}  // namespace yolov7::dataset
