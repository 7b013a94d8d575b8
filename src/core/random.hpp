#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A stream is a pure function of (seed, epoch, sample, operation), so results
// never depend on the number of threads or on what ran before.
#include <array>
#include <cstdint>
#include <vector>

namespace yolov7 {

/// One Philox4x32-10 block: counter and key to four random words.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

class Random {
 public:
  Random(std::uint64_t seed, std::uint32_t epoch, std::uint32_t sample, std::uint32_t operation);

  std::uint32_t next();                     ///< uniform in 0 … 2^32 − 1
  double uniform();                         ///< [0, 1), 53 bits
  double uniform(double low, double high);  ///< [low, high)
  std::int64_t integer(std::int64_t low,
                       std::int64_t high);  ///< both ends included; low if high < low
  bool chance(double probability);          ///< draws even if probability is 0 or 1
  double normal();             ///< mean 0, variance 1 (Box–Muller, one value per two draws)
  double gamma(double shape);  ///< scale 1 (Marsaglia and Tsang 2000)
  double beta(double a, double b);
  /// Fisher–Yates permutation of 0 … n − 1.
  std::vector<std::size_t> permutation(std::size_t n);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace yolov7
