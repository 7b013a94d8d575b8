#pragma once
// A short vector for each image, so that a selection can be spread over what a pool holds: what the
// detector finds in it, and the structure of the image.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataset/similarity/structure.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::active {

inline constexpr std::size_t feature_length = 128;  ///< one byte each: half of 128 half floats
/// Of unit length, times 127.
using Feature = std::array<std::int8_t, feature_length>;

/// Half of its weight is content: for the detections, weighted by their confidence, the root of the
/// sums by class (24 bins, class modulo 24), by size (8 octaves of the share of the image's area)
/// and by place (4 × 4), and one value for "nothing found". The other half is the structure of the
/// image. `width`, `height`: of the image, pixels. Detections below 0.05 are left out.
Feature feature_of(std::span<const Detection> detections, int width, int height,
                   const dataset::similarity::Direction& structure);

/// Cosine of the angle between two features, −1 … 1.
double cosine(const Feature& a, const Feature& b);

/// Features of `vectors` that are farthest from what is covered, one after the other: each next one
/// has the largest distance 1 − cosine to its nearest covered feature (greedy k-centre: Gonzalez,
/// "Clustering to minimize the maximum intercluster distance", 1985; Sener and Savarese, ICLR
/// 2018). Equal distances: the smaller index. Where nothing is covered the first is `first`.
class Coverage {
 public:
  Coverage(std::span<const Feature> vectors, std::span<const Feature> covered, std::size_t first,
           int threads = 0);
  /// The next index, and its distance. Never gives one twice, nor one that was left out.
  struct Pick {
    std::size_t index = 0;
    double distance = 0;
  };
  bool next(Pick& pick);
  /// Counts as covered from now on (chosen for another reason).
  void cover(std::size_t index);
  /// Never given; it covers nothing.
  void leave_out(std::size_t index);

 private:
  void cover_by(const Feature& centre);
  std::span<const Feature> vectors_;
  std::vector<float> distance_;  ///< to the nearest covered one
  std::vector<bool> out_;
  std::size_t first_;
  bool nothing_covered_;
  int threads_;
};

/// Typical images first (Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite
/// strategies suit high and low budgets", ICML 2022): spherical k-means into as many groups as
/// images are wanted, with a seed; groups that hold a covered feature come last; larger groups come
/// first; of each group the image with the highest mean cosine to its 20 nearest neighbours of the
/// group. An order of all indices, each once: group by group, then the second of each group, ….
std::vector<std::size_t> typical_order(std::span<const Feature> vectors,
                                       std::span<const Feature> covered, std::size_t wanted,
                                       std::uint64_t seed, int threads = 0);

}  // namespace yolov7::active
