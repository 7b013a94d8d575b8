#pragma once
// Outputs that are linear in inputs, fitted to samples and then rounded to integers.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace yolov7::compression {

/// One row an output: the constant, then one weight an input.
struct LinearRows {
  std::size_t outputs = 0, inputs = 0;
  std::vector<double> numbers;
  std::size_t width() const { return inputs + 1; }
  std::span<double> row(std::size_t output) {
    return std::span(numbers).subspan(output * width(), width());
  }
  std::span<const double> row(std::size_t output) const {
    return std::span(numbers).subspan(output * width(), width());
  }
};

/// What of samples a fit needs: Σ x xᵀ, Σ y xᵀ and Σ y², x with a 1 in front.
class SampleSums {
 public:
  SampleSums(std::size_t inputs, std::size_t outputs);

  /// `x`: inputs × count, `y`: outputs × count.
  void add(std::span<const float> x, std::span<const float> y, std::size_t count);
  std::size_t count() const { return count_; }
  std::size_t inputs() const { return width_ - 1; }
  std::size_t outputs() const { return squares_.size(); }
  /// Mean squared error over samples and outputs.
  double error(const LinearRows& rows) const;

 private:
  friend class FittedRows;
  std::size_t width_, count_ = 0;
  std::vector<double> inner_, cross_, squares_;  // width², outputs × width, outputs
};

/// Σ x xᵀ + λ, factored once: for the fit and for the rounding.
class FittedRows {
 public:
  /// λ = `strength` · mean of the inputs' squares, on the weights alone. The fit is drawn to
  /// `start`: argmin Σ (row · x − y)² + λ (row − start)². Error: no sample.
  FittedRows(const SampleSums& sums, const LinearRows& start, double strength);
  const LinearRows& rows() const { return rows_; }

  /// −127 … 127 times `scales` (one an output), from the last weight to the first; what each one's
  /// rounding changes is made good by those that are left, the constant last (Frantar et al.,
  /// "GPTQ", 2022, in the form of a nearest point of a lattice).
  std::vector<std::int8_t> round(std::span<const float> scales);

 private:
  std::vector<double> factor_;  // lower triangle
  LinearRows rows_;
};

}  // namespace yolov7::compression
