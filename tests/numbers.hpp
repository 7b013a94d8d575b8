#pragma once
// Numbers for files that tests change at random.
#include <cstddef>
#include <cstdint>

namespace yolov7::test {

/// splitmix64: a fixed sequence, so that the number in a failure makes the same file again.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// 0 … n - 1; 0 where n is 0. Takes one number of the sequence only if n is above 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : next() % n; }

 private:
  std::uint64_t state_;
};

}  // namespace yolov7::test
