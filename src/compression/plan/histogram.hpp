#pragma once
// How often a value takes which numbers, in one pass whose range need not be known before, and the
// 8-bit scale that loses least (export 9.1).
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "network/transform/quantization.hpp"

namespace yolov7::compression {

/// Bins of one width, a power of two: bin i holds width · i ≤ x < width · (i + 1). Where a number
/// lies beyond them, the width doubles and pairs of bins become one, so that the counts do not
/// depend on the order of the numbers.
class Histogram {
 public:
  static constexpr int half = 8192;  ///< bins on each side of zero

  /// Error: a number that is not finite.
  void add(std::span<const float> values);
  void add(const Histogram& other);

  float low() const { return low_; }    ///< smallest number, at most 0
  float high() const { return high_; }  ///< largest number, at least 0
  std::uint64_t count() const { return count_; }
  double width() const;

  struct Mass {
    double centre, count;
  };
  /// The bins that hold something, ascending, pairs of them joined until there are at most `most`.
  std::vector<Mass> masses(std::size_t most = 2048) const;

 private:
  void reach(float magnitude);
  void double_width();

  int exponent_ = -40;
  float low_ = 0, high_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> bins_;  // empty until something is added
};

/// The least squared error, the extremes, or a share of 0.9999 of the numbers between the ends.
enum class RangeMethod { squared_error, extremes, percentile };

/// What is computed from a value before it counts: the activation behind a convolution, and the
/// numbers that this one's results become. None: the value itself.
struct AfterQuantization {
  std::function<double(double)> activation = {};
  std::optional<network::ValueScale> result = {};  ///< asymmetric

  double wanted(double real) const { return activation ? activation(real) : real; }
  double given(double quantized) const;
};

/// Numbers without any spread give the scale 1 / 255. `most`: of the asymmetric numbers. Where
/// results become numbers, steps of one to four of theirs are tried, too: what is a whole number of
/// them is not rounded twice.
network::ValueScale best_scale(const Histogram& histogram, RangeMethod method,
                               const AfterQuantization& after = {}, int most = 255);

}  // namespace yolov7::compression
