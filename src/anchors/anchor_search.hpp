#pragma once
// Anchors for a data set: k-means, then genetic refinement (training 12).
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "anchors/anchor_fit.hpp"
#include "core/error.hpp"

namespace yolov7::anchors {

struct AnchorSearchOptions {
  int count = 9;         ///< all levels together
  double threshold = 4;  ///< anchor_t
  int generations = 1000;
  std::uint64_t seed = 0;
  std::function<void(int done, int all)> progress;  ///< generations; may be empty
  std::stop_token stop = {};
};

struct AnchorSearch {
  std::vector<network::AnchorSize> anchors;  ///< sorted by area
  double fitness = 0;  ///< mean over the labels used of best metric · [best > 1 / threshold]
  double clustered_fitness = 0;                     ///< of the k-means result
  AnchorFit fit;                                    ///< over all labels
  std::size_t labels = 0, small = 0, left_out = 0;  ///< all; with a side below 3 px; with both
                                                    ///< sides below 2 px, left out of the search
};

/// The labels do not suffice for a search: too few of them, or too much alike.
struct TooFewLabels : Error {
  using Error::Error;
};

/// `labels`: sizes in pixels of the network input. A pure function of labels and options. Errors:
/// TooFewLabels, stopped_error().
AnchorSearch search_anchors(std::span<const network::AnchorSize> labels,
                            const AnchorSearchOptions& options);

/// For the labels of a split at a training size.
AnchorSearch search_anchors(const dataset::Index& index, int image_size,
                            const AnchorSearchOptions& options);

}  // namespace yolov7::anchors
