#pragma once
// Pairs of images that are worth comparing, found without looking at all pairs.
#include <cstddef>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

/// Pairs of indices (first < second), sorted, whose directions are alike at some cut of one of the
/// two (cosine at least 0.7). Up to 3,000 images all pairs of directions are looked at. For more,
/// images meet in tables whose keys are the sides of random planes on which their directions lie
/// (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002): as many
/// tables as make a pair with the cosine 0.8 meet with the probability 0.99. The result does not
/// depend on the number of threads. Error: stopped_error().
std::vector<std::pair<std::size_t, std::size_t>> candidate_pairs(std::span<const Sketch> sketches,
                                                                 int threads = 0,
                                                                 const std::stop_token& stop = {});

}  // namespace yolov7::dataset::similarity
