#pragma once
// Transforms of the catalogue on whole data sets, outside training: an augmented copy, and a sheet
// to look at.
#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/augment/transforms/catalogue.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"

namespace yolov7::dataset {

struct AugmentedSample {
  Sample sample;
  std::vector<std::string> applied;  ///< names in the order of application
};

/// All stages in their order on one picture at its own size; `version` tells several results of one
/// picture apart. A pure function of (index, list, seed, entry, version).
AugmentedSample augmented(const Index& index, std::size_t entry, const AugmentList& list,
                          std::uint64_t seed, int version);

/// Rows of one picture: as it is, then `versions` results, boxes drawn, each scaled into a square
/// of `side` pixels.
cv::Mat preview_sheet(const Index& index, std::span<const std::size_t> entries,
                      const AugmentList& list, std::uint64_t seed, int versions, int side,
                      const std::stop_token& stop = {});

struct AugmentedCopyOptions {
  int times = 1;  ///< augmented versions per training picture, besides the picture itself
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 = usable cores
  int jpeg_quality = 95;
  std::stop_token stop = {};
};

struct AugmentedCopyReport {
  std::size_t originals = 0, written = 0, objects_before = 0,
              objects_after = 0;  ///< training pictures; objects of all versions: before and after
};

/// Training pictures and their versions "<stem>_aug1.jpg" …, the other splits as they are,
/// data.yaml, and augment.json: list, seed, and for each version its name and its source's, both as
/// they are in the copy, and what was applied. All or nothing. Errors: `out` holds something, or
/// lies in a folder of the data, a picture that cannot be read, a full disk, stopped_error().
AugmentedCopyReport write_augmented_copy(const Description& description, const Value& list,
                                         const AugmentedCopyOptions& options,
                                         const std::filesystem::path& out);

}  // namespace yolov7::dataset
