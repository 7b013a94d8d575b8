#include "active/scene_cuts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace yolov7::active {
namespace {

constexpr double always = 40, least = 15, times_neighbours = 3;
constexpr std::size_t reach = 2;

}  // namespace

double scene_difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.size() != b.size() || a.empty()) return 255;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

std::vector<bool> scene_begins(std::span<const double> differences) {
  std::vector<bool> begins(differences.size(), false);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    double around = 0;
    std::size_t count = 0;
    const std::size_t first = i > reach ? i - reach : 1,
                      last = std::min(i + reach + 1, differences.size());
    for (std::size_t k = first; k < last; ++k)
      if (k != i) around += differences[k], ++count;
    const bool sudden = differences[i] >= least &&
                        differences[i] * static_cast<double>(std::max<std::size_t>(count, 1)) >=
                            times_neighbours * around;
    begins[i] = i == 0 || differences[i] >= always || sudden;
  }
  return begins;
}

}  // namespace yolov7::active
