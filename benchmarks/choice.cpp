// Seconds that the greedy choices of `active select` take over random features of unit length: each
// pick of coverage, and groups of typical images. Usage: benchmark_choice [FEATURES] [WANTED].
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "active/features.hpp"
#include "core/random.hpp"

using namespace yolov7;

namespace {

std::vector<active::Feature> random_features(std::size_t count) {
  std::vector<active::Feature> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(1, static_cast<std::uint32_t>(i), 0, 0);
    std::array<double, active::feature_length> values{};
    double sum = 0;
    for (double& value : values) value = random.uniform(-1, 1), sum += value * value;
    for (std::size_t k = 0; k < values.size(); ++k)
      all[i][k] = static_cast<std::int8_t>(std::lround(127 * values[k] / std::sqrt(sum)));
  }
  return all;
}

template <class Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3) {
    fmt::print(stderr, "usage: benchmark_choice [FEATURES] [WANTED]\n");
    return 2;
  }
  const std::size_t count = argc > 1 ? std::stoul(argv[1]) : 100'000,
                    wanted = argc > 2 ? std::stoul(argv[2]) : 5'000;
  const std::vector<active::Feature> features = random_features(count);
  const double coverage = seconds([&] {
    active::Coverage picks(features, {}, 0);
    active::Coverage::Pick pick;
    for (std::size_t i = 0; i < wanted && picks.next(pick);) ++i;
  });
  const double typical = seconds([&] { active::typical_order(features, {}, wanted, 1); });
  fmt::print("{} of {} features: coverage {:.1f} s, typical {:.1f} s\n", wanted, count, coverage,
             typical);
}
