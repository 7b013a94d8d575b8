#pragma once
// A data set in other splits.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/arrange/set_output.hpp"
#include "dataset/arrange/together.hpp"
#include "dataset/split/assignment.hpp"

namespace yolov7::dataset {

struct SplitSetOptions {
  std::filesystem::path data, out;
  std::vector<double> shares = {70, 20, 10};  ///< of train, val and test, percent
  int folds = 0;                              ///< above 0: so many equal folds instead; no shares
  SplitMethod method = SplitMethod::random;
  TogetherOptions together;
  bool keep_test = false;          ///< images of the source's test split stay there
  std::filesystem::path previous;  ///< an earlier result: what it knows stays where it is
  Placement placement = Placement::list;
  std::uint64_t seed = 0;
  int threads = 0;
  std::stop_token stop = {};
};

struct SplitSetReport {
  std::vector<std::string> parts;  ///< train, val, test; or fold1, fold2, …
  std::vector<double> shares;      ///< wanted, in 0 … 1
  std::vector<SplitCount> found;   ///< of each part
  std::vector<std::string> names;
  std::size_t images = 0, groups = 0, largest_group = 0;
  std::size_t kept = 0;  ///< images that `keep_test` or `previous` left where they were
  Together together;
  std::size_t parted_before = 0;  ///< pairs of images that belong together, in different splits
  std::size_t parted_after = 0;   ///< above 0 only where what stays has parted them already
  Conversion account;             ///< of the only set, or of fold 1
};

/// Writes `out`, all or nothing: data.yaml (or fold1/data.yaml, …), lists or images and labels,
/// and split.json, which names the split, the content and the group of every image. What was
/// written is read back and compared: each image once, and no group in two splits. Errors: as of
/// gather_set(); a part that would get no image; `out` not empty or inside of the data; folds with
/// copies or links; a full disk; stopped_error().
SplitSetReport split_set(const SplitSetOptions& options);
nlohmann::json to_json(const SplitSetReport& report);
/// Wanted shares beside found ones, and what was checked.
std::vector<std::string> summary_lines(const SplitSetReport& report);

}  // namespace yolov7::dataset
