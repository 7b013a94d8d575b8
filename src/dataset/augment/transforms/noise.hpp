#pragma once
// Noise and compression (data 13.2, rows 41–49; code N).
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Standard normal values in float32, two by two from 32-bit words (Box and Muller 1958): some five
/// times as fast as Random::normal(), with tails up to 6.7.
class FastNormal {
 public:
  explicit FastNormal(Random& random) : random_(random) {}
  float operator()();

 private:
  Random& random_;
  float spare_ = 0;
  bool has_spare_ = false;
};

/// A Poisson count: exact by inversion below a mean of 30 (one draw); from there on the rounded
/// normal approximation, whose skew of 1/√mean is missing.
std::uint32_t poisson(double mean, Random& random, FastNormal& normal);

std::vector<TransformEntry> noise_transforms();

}  // namespace yolov7::dataset
