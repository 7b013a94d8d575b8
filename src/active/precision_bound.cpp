#include "active/precision_bound.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace yolov7::active {
namespace {

/// P(X ≥ k) of X ~ Bin(n, p) where p < k / n, so that the terms fall from the first one on.
double upper_tail(double k, double n, double p) {
  const double log_first = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                           k * std::log(p) + (n - k) * std::log1p(-p);
  double sum = 0, term = 1;
  for (double j = k; j <= n && term > sum * 1e-17; ++j) {
    sum += term;
    term *= (n - j) / (j + 1) * p / (1 - p);
  }
  return std::exp(log_first + std::log(sum));
}

/// Probabilities of k = first, first + 1, … wrong ones in n draws of this wrong share; what lies
/// further than nine standard deviations from the mean is left out.
struct Wrong {
  std::size_t first = 0;
  std::vector<double> of;
};

Wrong wrong_in(double n, double share) {
  const double mean = n * share, reach = 9 * std::sqrt(mean * (1 - share)) + 12;
  Wrong wrong;
  wrong.first = static_cast<std::size_t>(std::max(0.0, std::floor(mean - reach)));
  const double last = std::min(n, std::ceil(mean + reach));
  for (auto k = static_cast<double>(wrong.first); k <= last; ++k)
    wrong.of.push_back(std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                                k * std::log(share) + (n - k) * std::log1p(-share)));
  return wrong;
}

/// Most wrong ones of n with which a look promises the precision at this level; −1: never.
double most_wrong(double n, double precision, double level) {
  double low = -1, high = std::floor(n * (1 - precision)) + 1;  // high: never, the share is lower
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2), right = n - middle;
    (right / n > precision && upper_tail(right, n, precision) <= level ? low : high) = middle;
  }
  return low;
}

/// Probability that any look promises, with the wrong share 1 − precision.
double any_promise(std::span<const std::size_t> counts, double precision, double level) {
  std::vector<double> silent = {1};  // by wrong ones from `from` on: no look promised so far
  std::size_t from = 0, before = 0;
  double promised = 0;
  for (const std::size_t count : counts) {
    const Wrong more = wrong_in(static_cast<double>(count - before), 1 - precision);
    std::vector<double> next(silent.size() + more.of.size() - 1, 0.0);
    for (std::size_t i = 0; i < silent.size(); ++i)
      for (std::size_t j = 0; j < more.of.size(); ++j) next[i + j] += silent[i] * more.of[j];
    from += more.first;
    const double most = most_wrong(static_cast<double>(count), precision, level);
    for (std::size_t i = 0; i < next.size() && static_cast<double>(from + i) <= most; ++i)
      promised += std::exchange(next[i], 0);
    silent = std::move(next);
    before = count;
  }
  return promised;
}

}  // namespace

double lower_bound(std::size_t correct, std::size_t all, double confidence) {
  if (correct > all || !(confidence > 0) || !(confidence < 1))
    throw Error(
        fmt::format("precision bound: expected at most {} correct ones and a confidence "
                    "between 0 and 1, found {} and {}",
                    all, correct, confidence));
  if (correct == 0) return 0;
  const auto k = static_cast<double>(correct), n = static_cast<double>(all);
  const double left = 1 - confidence;
  if (correct == all) return std::pow(left, 1 / n);
  // The tail grows with p, and at p = k / n it is above any `left` up to about one half.
  double low = 0, high = k / n;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (upper_tail(k, n, middle) < left ? low : high) = middle;
  }
  return low;
}

double confidence_of_each(std::span<const std::size_t> counts, double precision,
                          double confidence) {
  if (!(confidence >= 0.5) || !(confidence < 1) || !(precision >= 0.5) || !(precision < 1))
    throw Error(
        fmt::format("precision bound: expected a confidence and a precision from .5 to 1, "
                    "found {} and {}",
                    confidence, precision));
  if (counts.size() < 2) return confidence;
  const double allowed = 1 - confidence;
  double low = 0, high = allowed;
  for (int step = 0; step < 24; ++step) {
    const double middle = (low + high) / 2;
    (any_promise(counts, precision, middle) <= allowed ? low : high) = middle;
  }
  return 1 - low * (1 - 1e-9);  // a level that a look just reaches does not count
}

}  // namespace yolov7::active
