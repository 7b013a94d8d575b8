#include "compression/plan/least_squares.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "core/threads.hpp"

namespace yolov7::compression {
namespace {

/// In lanes, which the compiler makes vectors of.
template <class T>
double product(const T* a, const T* b, std::size_t count) {
  constexpr std::size_t lanes = 16;
  std::array<T, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  double sum = 0;
  for (const T one : sums) sum += static_cast<double>(one);
  for (; i < count; ++i) sum += static_cast<double>(a[i] * b[i]);
  return sum;
}

/// In place: the lower triangle L of L Lᵀ. Row by row within blocks of columns, so that threads
/// share the rows.
void cholesky(std::vector<double>& matrix, std::size_t width) {
  constexpr std::size_t block = 64;
  const auto row = [&](std::size_t i) { return matrix.data() + i * width; };
  const auto below = [&](std::size_t i, std::size_t from, std::size_t to) {
    for (std::size_t j = from; j < to; ++j)
      row(i)[j] = (row(i)[j] - product(row(i), row(j), j)) / row(j)[j];
  };
  for (std::size_t from = 0; from < width; from += block) {
    const std::size_t to = std::min(from + block, width);
    for (std::size_t i = from; i < to; ++i) {
      below(i, from, i);
      const double rest = row(i)[i] - product(row(i), row(i), i);
      if (!(rest > 0)) throw Error("least squares: expected independent inputs");
      row(i)[i] = std::sqrt(rest);
    }
    parallel_for(width - to, usable_cores(), [&](std::size_t i) { below(to + i, from, to); });
  }
}

}  // namespace

SampleSums::SampleSums(std::size_t inputs, std::size_t outputs)
    : width_(inputs + 1),
      inner_(width_ * width_, 0),
      cross_(outputs * width_, 0),
      squares_(outputs, 0) {}

void SampleSums::add(std::span<const float> x, std::span<const float> y, std::size_t count) {
  const std::vector<float> ones(count, 1);
  const auto input = [&](std::size_t i) {
    return i == 0 ? ones.data() : x.data() + (i - 1) * count;
  };
  parallel_for(width_, usable_cores(), [&](std::size_t i) {
    for (std::size_t j = 0; j <= i; ++j)
      inner_[i * width_ + j] += product(input(i), input(j), count);
  });
  parallel_for(outputs(), usable_cores(), [&](std::size_t o) {
    const float* wanted = y.data() + o * count;
    for (std::size_t i = 0; i < width_; ++i)
      cross_[o * width_ + i] += product(wanted, input(i), count);
    squares_[o] += product(wanted, wanted, count);
  });
  count_ += count;
}

double SampleSums::error(const LinearRows& rows) const {
  std::vector<double> errors(outputs(), 0);
  parallel_for(outputs(), usable_cores(), [&](std::size_t o) {
    const auto row = rows.row(o);
    double sum = squares_[o] - 2 * product(row.data(), cross_.data() + o * width_, width_);
    for (std::size_t i = 0; i < width_; ++i) {
      const double* inner = inner_.data() + i * width_;
      sum += row[i] * (2 * product(row.data(), inner, i) + row[i] * inner[i]);
    }
    errors[o] = sum;
  });
  double sum = 0;
  for (const double one : errors) sum += one;
  return sum / static_cast<double>(count_ * outputs());
}

FittedRows::FittedRows(const SampleSums& sums, const LinearRows& start, double strength)
    : factor_(sums.inner_), rows_(start) {
  if (sums.count_ == 0) throw Error("least squares: expected samples, found none");
  const std::size_t width = sums.width_;
  double mean = 0;
  for (std::size_t i = 1; i < width; ++i)
    mean += sums.inner_[i * width + i] / static_cast<double>(width - 1);
  const double pull = std::max(strength * mean, 1e-12);
  for (std::size_t i = 1; i < width; ++i) factor_[i * width + i] += pull;
  cholesky(factor_, width);
  parallel_for(rows_.outputs, usable_cores(), [&](std::size_t o) {
    const auto row = rows_.row(o);
    for (std::size_t i = 0; i < width; ++i)
      row[i] = sums.cross_[o * width + i] + (i > 0 ? pull * row[i] : 0);
    for (std::size_t i = 0; i < width; ++i) {
      const double* lower = factor_.data() + i * width;
      row[i] = (row[i] - product(lower, row.data(), i)) / lower[i];
    }
    for (std::size_t i = width; i-- > 0;) {
      const double* lower = factor_.data() + i * width;
      row[i] /= lower[i];
      for (std::size_t j = 0; j < i; ++j) row[j] -= lower[j] * row[i];
    }
  });
}

std::vector<std::int8_t> FittedRows::round(std::span<const float> scales) {
  const std::size_t width = rows_.width();
  std::vector<std::int8_t> numbers(rows_.outputs * rows_.inputs);
  parallel_for(rows_.outputs, usable_cores(), [&](std::size_t o) {
    const auto row = rows_.row(o);
    const double scale = static_cast<double>(scales[o]);
    std::vector<double> open(width, 0);  // Σ over rounded k of (row − rounded)ₖ · factorₖⱼ
    for (std::size_t i = width; i-- > 0;) {
      const double* lower = factor_.data() + i * width;
      const double wanted = row[i] + open[i] / lower[i];
      double rounded = wanted;
      if (i > 0) {
        const double number = std::clamp(std::nearbyint(wanted / scale), -127.0, 127.0);
        numbers[o * rows_.inputs + i - 1] = static_cast<std::int8_t>(number);
        rounded = number * scale;
      }
      const double gap = row[i] - rounded;
      for (std::size_t j = 0; j < i; ++j) open[j] += gap * lower[j];
      row[i] = rounded;
    }
  });
  return numbers;
}

}  // namespace yolov7::compression
