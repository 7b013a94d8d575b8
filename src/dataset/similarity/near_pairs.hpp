#pragma once
// Images of a set that show the same: equal bytes, equal pixels, near duplicates (data-services
// D2).
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "dataset/similarity/groups.hpp"
#include "dataset/similarity/likeness.hpp"
#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

struct NearPair {
  std::size_t a = 0, b = 0;  ///< indices of the sketches, a < b
  Likeness likeness;
};

struct NearOptions {
  int threads = 0;  ///< 0 = usable cores
  std::stop_token stop = {};
};

struct NearPairs {
  std::vector<NearPair> pairs;  ///< sorted by indices
  Groups groups{0};             ///< chains of the pairs
  std::size_t compared = 0;  ///< pairs that were looked at closely: not those inside one group of
                             ///< more than 50 images, which are together already
  std::vector<std::size_t> plain;  ///< images without structure: not compared
};

/// The result depends on neither the number of threads nor chance. Says its progress through log.
/// Error: stopped_error().
NearPairs find_near_pairs(std::span<const Sketch> sketches, const NearOptions& options = {});

}  // namespace yolov7::dataset::similarity
