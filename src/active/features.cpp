#include "active/features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/threads.hpp"

namespace yolov7::active {
namespace {

constexpr std::size_t class_bins = 24, size_bins = 8, place_bins = 16,
                      content_length = class_bins + size_bins + place_bins + 1;
static_assert(content_length + dataset::similarity::components <= feature_length);

/// Scales `values` to the length `length`; zeros stay.
void scale_to(std::span<double> values, double length) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  if (sum == 0) return;
  const double factor = length / std::sqrt(sum);
  for (double& value : values) value *= factor;
}

std::size_t size_bin(double share) {
  const double octaves = -std::log2(std::clamp(share, 1e-9, 1.0)) / 2;  // of the side
  return std::min(size_bins - 1, static_cast<std::size_t>(octaves));
}

std::size_t place_bin(double x, double y) {
  const auto part = [](double value) {
    return static_cast<std::size_t>(std::clamp(value * 4, 0.0, 3.0));
  };
  return part(y) * 4 + part(x);
}

int dot(const Feature& a, const Feature& b) {
  int sum = 0;
  for (std::size_t i = 0; i < feature_length; ++i) sum += int{a[i]} * int{b[i]};
  return sum;
}

constexpr double unit = 127.0 * 127.0;

}  // namespace

Feature feature_of(std::span<const Detection> detections, int width, int height,
                   const dataset::similarity::Direction& structure) {
  std::array<double, feature_length> values{};
  const double w = std::max(1, width), h = std::max(1, height);
  bool found = false;
  for (const Detection& one : detections) {
    if (!(one.score >= 0.05F)) continue;
    found = true;
    const double p = one.score, share = std::max(0.0, one.box.area()) / (w * h);
    values[static_cast<std::size_t>(std::max(0, one.class_index)) % class_bins] += p;
    values[class_bins + size_bin(share)] += p;
    values[class_bins + size_bins +
           place_bin((one.box.x1 + one.box.x2) / 2 / w, (one.box.y1 + one.box.y2) / 2 / h)] += p;
  }
  if (!found) values[content_length - 1] = 1;
  for (std::size_t i = 0; i < content_length; ++i) values[i] = std::sqrt(values[i]);
  const double half = std::sqrt(0.5);
  scale_to(std::span(values).first(content_length), half);
  for (std::size_t i = 0; i < structure.size(); ++i) values[content_length + i] = structure[i];
  scale_to(std::span(values).subspan(content_length), half);
  scale_to(values, 127);
  Feature feature{};
  for (std::size_t i = 0; i < feature_length; ++i)
    feature[i] = static_cast<std::int8_t>(std::lround(values[i]));
  return feature;
}

double cosine(const Feature& a, const Feature& b) { return dot(a, b) / unit; }

Coverage::Coverage(std::span<const Feature> vectors, std::span<const Feature> covered,
                   std::size_t first, int threads)
    : vectors_(vectors),
      distance_(vectors.size(), std::numeric_limits<float>::infinity()),
      out_(vectors.size()),
      first_(first),
      nothing_covered_(covered.empty()),
      threads_(threads_or_all(threads)) {
  // More centres than this change little, and their cost grows with each: every so-manieth counts.
  constexpr std::size_t most = 4000;
  const std::size_t used = std::min(most, covered.size());
  for (std::size_t i = 0; i < used; ++i) cover_by(covered[i * covered.size() / used]);
}

void Coverage::cover_by(const Feature& centre) {
  constexpr std::size_t block = 4096;
  parallel_for((vectors_.size() + block - 1) / block, threads_, [&](std::size_t b) {
    const std::size_t end = std::min(vectors_.size(), (b + 1) * block);
    for (std::size_t i = b * block; i < end; ++i)
      distance_[i] =
          std::min(distance_[i], static_cast<float>(1 - dot(vectors_[i], centre) / unit));
  });
}

bool Coverage::next(Pick& pick) {
  std::size_t best = vectors_.size();
  if (nothing_covered_ && first_ < vectors_.size() && !out_[first_]) {
    best = first_;
  } else {
    for (std::size_t i = 0; i < vectors_.size(); ++i)
      if (!out_[i] && (best == vectors_.size() || distance_[i] > distance_[best])) best = i;
  }
  if (best == vectors_.size()) return false;
  pick = {best, nothing_covered_ ? 1.0 : static_cast<double>(distance_[best])};
  cover(best);
  return true;
}

void Coverage::cover(std::size_t index) {
  out_[index] = true;
  nothing_covered_ = false;
  cover_by(vectors_[index]);
}

void Coverage::leave_out(std::size_t index) { out_[index] = true; }

}  // namespace yolov7::active
