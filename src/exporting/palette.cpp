#include "exporting/palette.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

constexpr std::size_t most = 256;

/// Each ascending value counts; between the first and the last there are bins of one width.
std::vector<double> first_numbers(std::span<const float> sorted) {
  constexpr std::size_t bins = 4096;
  const double low = static_cast<double>(sorted.front()),
               width = (static_cast<double>(sorted.back()) - low) / bins;
  std::vector<double> shares(bins, 0);
  for (const float value : sorted)
    shares[std::min(bins - 1,
                    static_cast<std::size_t>((static_cast<double>(value) - low) / width))] += 1;
  double all = 0;
  for (double& share : shares) all += share = std::cbrt(share);
  std::vector<double> numbers;
  double below = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    const double wanted = static_cast<double>(most) / all;
    while (numbers.size() < most &&
           (below + shares[i]) * wanted >= static_cast<double>(numbers.size()) + 0.5) {
      const double part =
          ((static_cast<double>(numbers.size()) + 0.5) / wanted - below) / shares[i];
      numbers.push_back(low + width * (static_cast<double>(i) + part));
    }
    below += shares[i];
  }
  numbers.resize(most, static_cast<double>(sorted.back()));
  return numbers;
}

/// Halfway between neighbours.
std::vector<double> bounds_of(const std::vector<double>& numbers) {
  std::vector<double> bounds;
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i)
    bounds.push_back((numbers[i] + numbers[i + 1]) / 2);
  return bounds;
}

/// Every number becomes the mean of the values that are nearest to it, until nothing moves.
void settle(std::vector<double>& numbers, std::span<const float> sorted) {
  constexpr int rounds = 200;
  std::vector<double> sums{0};
  for (const float value : sorted) sums.push_back(sums.back() + static_cast<double>(value));
  std::vector<std::size_t> before;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::size_t> ends;
    for (const double bound : bounds_of(numbers))
      ends.push_back(static_cast<std::size_t>(
          std::upper_bound(sorted.begin(), sorted.end(), bound,
                           [](double b, float v) { return b < static_cast<double>(v); }) -
          sorted.begin()));
    ends.push_back(sorted.size());
    if (ends == before) return;
    for (std::size_t i = 0, from = 0; i < numbers.size(); from = ends[i++])
      if (ends[i] > from)
        numbers[i] = (sums[ends[i]] - sums[from]) / static_cast<double>(ends[i] - from);
    before = std::move(ends);
  }
}

}  // namespace

std::vector<float> Palette::dense() const {
  std::vector<float> all;
  for (const std::uint8_t place : places) all.push_back(numbers[place]);
  return all;
}

Palette palette_of(std::span<const float> values) {
  std::vector<float> sorted(values.begin(), values.end());
  for (const float value : sorted)
    if (!std::isfinite(value))
      throw Error("palette: expected finite numbers, found infinity or no number");
  std::sort(sorted.begin(), sorted.end());
  std::vector<float> different = sorted;
  different.erase(std::unique(different.begin(), different.end()), different.end());
  Palette palette;
  std::vector<double> numbers(different.begin(), different.end());
  if (different.size() > most) {
    numbers = first_numbers(sorted);
    settle(numbers, sorted);
  }
  const std::vector<double> bounds = bounds_of(numbers);
  for (const float value : values)
    palette.places.push_back(static_cast<std::uint8_t>(
        std::lower_bound(bounds.begin(), bounds.end(), static_cast<double>(value)) -
        bounds.begin()));
  numbers.resize(most, numbers.empty() ? 0 : numbers.back());
  palette.numbers.assign(numbers.begin(), numbers.end());
  return palette;
}

}  // namespace yolov7::exporting
