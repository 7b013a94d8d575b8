#pragma once
// All images of one or several data sets with their labels, to be put together in another way.
#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "dataset/index/index.hpp"

namespace yolov7::dataset {

struct GatheredImage {
  Entry entry;
  std::string split;               ///< of its set: train, val or test
  std::size_t source = 0;          ///< which of the sets
  std::filesystem::path relative;  ///< to the folder of its data.yaml, where it lies below that
};

struct GatheredSet {
  std::vector<std::string> names;
  std::vector<GatheredImage> images;           ///< by set, split and path
  std::vector<std::filesystem::path> folders;  ///< that hold images or labels
  std::string key_points;                      ///< `kpt_shape` as the data.yaml has it, or ""
  Conversion account;                          ///< counts in, and what could not be read
};

struct GatherOptions {
  std::vector<std::string> splits;  ///< only these; empty = all that there are
  int threads = 0;
  std::stop_token stop = {};
};

/// Every split of a data.yaml. An image that stands in two of its splits is taken once, in the
/// later one (val before train, test before val), which the account notes. Errors: as of
/// read_description() and read_index(); none of the wanted splits.
GatheredSet gather_set(const std::filesystem::path& data, const GatherOptions& options = {});

/// Images that are kept back are counted and named.
void leave_out(const GatheredImage& image, const std::string& reason, Conversion& account);

}  // namespace yolov7::dataset
