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
  std::vector<GatheredImage> images;  ///< by set, split and path
  std::string key_points;             ///< `kpt_shape` as the data.yaml has it, or ""
  /// Whether there are label files beside the images, so that lists of images make a data set.
  bool has_label_files = true;
  Conversion account;  ///< counts in, and what could not be read
};

struct GatherOptions {
  std::vector<std::string> splits;  ///< only these; empty = all that there are
  std::filesystem::path out;        ///< that is written: it must lie outside the data; empty = none
  int threads = 0;
  std::stop_token stop = {};
};

/// Every split of a data set of any format (open_data()). An image that stands in two of its splits
/// is taken once, in the later one (val before train, test before val), which the account notes;
/// training images that stand in for val are no val images. Errors: as of open_data() and
/// read_index(); none of the wanted splits; `out` inside of the data.
GatheredSet gather_set(const std::filesystem::path& data, const GatherOptions& options = {});

/// Images that are kept back are counted and named.
void leave_out(const GatheredImage& image, const std::string& reason, Conversion& account);

}  // namespace yolov7::dataset
