#pragma once
// Which part of a data set an image goes to: the one place for the rules. Parts are numbered in the
// order of their shares (train, val, test, or folds).
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace yolov7::dataset {

/// The parts where they are no folds.
inline constexpr const char* split_names[] = {"train", "val", "test"};

/// `random`: exact counts, drawn by the seed. `stratified`: besides, every class has its share in
/// every part. `stable`: the unit's key and the seed alone decide, so that units that come later
/// move none that are there; counts are right on average only.
enum class SplitMethod { random, stratified, stable };

/// Images that stay together.
struct SplitUnit {
  std::size_t images = 1;
  std::vector<std::size_t> classes;     ///< for each class the images that have it, once each
  std::string key;                      ///< of `stable`: a hash of the content, say
  int fixed = -1;                       ///< this part and no other; −1: free
  std::vector<std::size_t> boxes = {};  ///< for each class its boxes; may be left out
};

/// How many of `count` images each part gets: the borders are the rounded cumulative shares, of
/// whatever sum.
std::vector<std::size_t> part_sizes(std::size_t count, const std::vector<double>& shares);
/// The part of each of `count` images by a permutation that the seed draws.
std::vector<int> draw_parts(std::size_t count, const std::vector<double>& shares,
                            std::uint64_t seed);
/// The part of each unit. Units of several images make counts exact only as far as their sizes
/// allow. Stratified: iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the
/// stratification of multi-label data", ECML PKDD 2011, algorithm 1), with images counted in place
/// of examples, larger units first, and images without any class as a class of their own. That
/// leaves the number of boxes to chance where images have many: afterwards pairs of units of one
/// size, which the seed draws, change places where that brings images and boxes of all classes
/// nearer to their shares (sum of squared differences, each class relative to its whole).
std::vector<int> assign_parts(const std::vector<SplitUnit>& units,
                              const std::vector<double>& shares, SplitMethod method,
                              std::uint64_t seed);
/// Where `stable` puts a key: a number in 0 … 1 that is compared with the cumulative shares.
double stable_place(const std::string& key, std::uint64_t seed);

}  // namespace yolov7::dataset
