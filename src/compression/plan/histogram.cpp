#include "compression/plan/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace yolov7::compression {
namespace {

using Mass = Histogram::Mass;

/// Numbers 0 … most for what lies between `low` and `high`, 0 among it.
network::ValueScale asymmetric(double low, double high, int most) {
  network::ValueScale scale;
  const double step = (high - low) / most;
  scale.scale = static_cast<float>(step);
  scale.zero_point = static_cast<int>(std::clamp(std::nearbyint(-low / step), 0.0, 1.0 * most));
  scale.most = most;
  return scale;
}

/// Σ count · (after(quantized) − after(real))². `lowest`, `highest`: of the numbers.
double squared_error(std::span<const Mass> masses, std::span<const double> wanted, double step,
                     int lowest, int highest, const AfterQuantization& after) {
  std::array<double, 512> results{};
  for (int n = lowest; n <= highest; ++n) {
    const double real = step * n;
    results[static_cast<std::size_t>(n - lowest)] = after.given(real);
  }
  const double inverse = 1 / step, low = lowest, high = highest;
  double sum = 0;
  for (std::size_t i = 0; i < masses.size(); ++i) {
    const double number = std::clamp(std::nearbyint(masses[i].centre * inverse), low, high);
    const double gap = results[static_cast<std::size_t>(number - low)] - wanted[i];
    sum += masses[i].count * gap * gap;
  }
  return sum;
}

/// Parts of the full range that are tried, the full range first.
std::vector<double> shares(int count) {
  constexpr double least = 0.3;
  std::vector<double> all;
  for (int i = 0; i < count; ++i) all.push_back(1 - (1 - least) * i / (count - 1));
  return all;
}

struct Ends {
  double low, high;
};

Ends least_error_ends(std::span<const Mass> masses, std::span<const double> wanted, Ends full,
                      const AfterQuantization& after, int most) {
  double best = std::numeric_limits<double>::infinity();
  Ends found = full;
  const auto look = [&](Ends ends) {
    const network::ValueScale one = asymmetric(ends.low, ends.high, most);
    const double error = squared_error(masses, wanted, static_cast<double>(one.scale),
                                       -one.zero_point, most - one.zero_point, after);
    if (error < best) best = error, found = ends;
  };
  for (const double low : shares(full.low < 0 ? 15 : 2)) {
    for (const double high : shares(full.high > 0 ? 36 : 2))
      look({full.low * low, full.high * high});
    if (!(full.low < 0)) break;
  }
  if (!after.result) return found;
  for (int multiple = 1; multiple <= 4; ++multiple)
    for (const double high : shares(36)) {
      const double step = multiple * static_cast<double>(after.result->scale),
                   above = std::nearbyint(full.high * high / step);
      if (above <= most) look({(above - most) * step, above * step});
    }
  return found;
}

double least_error_bound(std::span<const Mass> masses, std::span<const double> wanted, double full,
                         const AfterQuantization& after) {
  double best = std::numeric_limits<double>::infinity(), found = full;
  for (const double share : shares(36)) {
    const double error = squared_error(masses, wanted, full * share / 127, -128, 127, after);
    if (error < best) best = error, found = full * share;
  }
  return found;
}

/// Beyond each end lies at most a ten-thousandth of the numbers.
Ends percentile_ends(std::span<const Mass> masses, Ends full) {
  constexpr double outside = 1e-4;
  double all = 0;
  for (const Mass& one : masses) all += one.count;
  Ends ends = full;
  double below = 0;
  for (const Mass& one : masses)
    if ((below += one.count) > outside * all) {
      ends.low = std::min(one.centre, 0.0);
      break;
    }
  double above = 0;
  for (std::size_t i = masses.size(); i-- > 0;)
    if ((above += masses[i].count) > outside * all) {
      ends.high = std::max(masses[i].centre, 0.0);
      break;
    }
  return ends.high > ends.low ? ends : full;
}

}  // namespace

double AfterQuantization::given(double quantized) const {
  const double real = wanted(quantized);
  if (!result) return real;
  const double step = static_cast<double>(result->scale), zero = result->zero_point;
  return step * (std::clamp(std::nearbyint(real / step) + zero, 0.0, 1.0 * result->most) - zero);
}

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

void Histogram::double_width() {
  std::vector<std::uint64_t> wider(bins_.size(), 0);
  for (int i = -half; i < half; ++i) {
    const int to = i >= 0 ? i / 2 : (i - 1) / 2;  // rounds down
    wider[static_cast<std::size_t>(to + half)] += bins_[static_cast<std::size_t>(i + half)];
  }
  bins_ = std::move(wider);
  ++exponent_;
}

void Histogram::reach(float magnitude) {
  if (bins_.empty()) {
    bins_.assign(2 * half, 0);
    while (std::ldexp(static_cast<double>(half), exponent_) <= static_cast<double>(magnitude))
      ++exponent_;
  }
  while (std::ldexp(static_cast<double>(half), exponent_) <= static_cast<double>(magnitude))
    double_width();
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  float low = low_, high = high_;
  bool finite = true;
  for (const float value : values) {
    low = value < low ? value : low;
    high = value > high ? value : high;
    finite = finite && value - value == 0;
  }
  if (!finite) throw Error("expected finite numbers, found infinity or no number");
  low_ = low, high_ = high;
  reach(std::max(-low, high));
  const auto inverse = static_cast<float>(1 / width());
  for (const float value : values) {
    // Exact: the width is a power of two.
    const int bin = static_cast<int>(std::floor(value * inverse));
    ++bins_[static_cast<std::size_t>(std::max(bin, -half) + half)];
  }
  count_ += values.size();
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  Histogram narrower = other;
  reach(std::max(-other.low_, other.high_));
  while (narrower.exponent_ < exponent_) narrower.double_width();
  while (exponent_ < narrower.exponent_) double_width();
  for (std::size_t i = 0; i < bins_.size(); ++i) bins_[i] += narrower.bins_[i];
  low_ = std::min(low_, other.low_), high_ = std::max(high_, other.high_);
  count_ += other.count_;
}

std::vector<Mass> Histogram::masses(std::size_t most) const {
  Histogram wider = *this;
  for (;;) {
    std::vector<Mass> all;
    for (int i = -half; i < half && !wider.bins_.empty(); ++i)
      if (const std::uint64_t count = wider.bins_[static_cast<std::size_t>(i + half)]; count > 0)
        all.push_back({(i + 0.5) * wider.width(), static_cast<double>(count)});
    if (all.size() <= most) return all;
    wider.double_width();
  }
}

network::ValueScale best_scale(const Histogram& histogram, RangeMethod method,
                               const AfterQuantization& after, int most) {
  Ends ends{static_cast<double>(histogram.low()), static_cast<double>(histogram.high())};
  double bound = std::max(-ends.low, ends.high);
  if (!(bound > 0)) return {1.0F / 255, 0, 1.0F / 127, most};
  const std::vector<Mass> masses = histogram.masses();
  switch (method) {
    case RangeMethod::extremes: break;
    case RangeMethod::percentile:
      ends = percentile_ends(masses, ends);
      bound = std::max(-ends.low, ends.high);
      break;
    case RangeMethod::squared_error: {
      std::vector<double> wanted;
      for (const Mass& one : masses) wanted.push_back(after.wanted(one.centre));
      ends = least_error_ends(masses, wanted, ends, after, most);
      bound = least_error_bound(masses, wanted, bound, after);
      break;
    }
  }
  network::ValueScale scale = asymmetric(ends.low, ends.high, most);
  scale.symmetric = static_cast<float>(bound / 127);
  return scale;
}

}  // namespace yolov7::compression
