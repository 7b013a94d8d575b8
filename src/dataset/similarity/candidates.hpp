#pragma once
// Pairs of images that are worth comparing, found without looking at all pairs.
#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {

/// Whether the directions are alike at some cut of one of the two (cosine at least 0.72). Plain
/// images have none.
bool are_candidates(const Sketch& a, const Sketch& b);

/// Pairs of indices (first < second) that are_candidates(), in batches. Up to 3,000 images all
/// pairs of directions are looked at. For more, images meet in tables whose keys are the sides of
/// random planes on which their directions lie (Charikar, "Similarity estimation techniques from
/// rounding algorithms", STOC 2002): as many tables as make a pair with the cosine 0.8 meet with
/// the probability 0.99. Where more than 512 entries have one key after further planes (frames of
/// one video), each meets the next 64 alone: enough for chains. What is found depends on neither
/// the number of threads nor chance.
class CandidateSearch {
 public:
  using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

  explicit CandidateSearch(std::span<const Sketch> sketches, int threads = 0,
                           std::stop_token stop = {});
  /// The pairs of the next batch, sorted, each once; false at the end. `known(a, b)`: pairs that
  /// need not be found; called from several threads. Error: stopped_error().
  bool next(const std::function<bool(std::size_t, std::size_t)>& known, Pairs& pairs);

 private:
  std::span<const Sketch> sketches_;
  int threads_;
  std::stop_token stop_;
  std::size_t done_ = 0, tables_ = 0;  ///< one batch without tables
  int bits_ = 0;
};

/// All batches in one, sorted, each pair once.
CandidateSearch::Pairs candidate_pairs(std::span<const Sketch> sketches, int threads = 0,
                                       const std::stop_token& stop = {});

}  // namespace yolov7::dataset::similarity
