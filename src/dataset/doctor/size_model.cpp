#include "dataset/doctor/size_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace yolov7::dataset::doctor {
namespace {

constexpr double least_count = 20, least_deviation = 0.15, lowest = -8;

/// Sum and difference of the logarithms of the sides, over √2: size and shape. Sizes of a class
/// differ far more than its shapes, which the sides one by one would not tell.
std::pair<double, double> size_and_shape(const CxcywhNormalized& box, int width, int height) {
  const double longest = std::max(width, height);
  const double w = std::log(std::max(box.w * width / longest, 1e-6)),
               h = std::log(std::max(box.h * height / longest, 1e-6));
  return {(w + h) / std::numbers::sqrt2, (w - h) / std::numbers::sqrt2};
}

}  // namespace

void SizeModel::add(int class_index, const CxcywhNormalized& box, int width, int height) {
  const auto [size, shape] = size_and_shape(box, width, height);
  for (Moments* m : {&classes_[class_index], &all_}) {
    m->count += 1;
    m->sum[0] += size, m->sum[1] += shape;
    m->squares[0] += size * size, m->squares[1] += shape * shape;
  }
}

void SizeModel::finish() {
  const auto finish_one = [](Moments& m) {
    for (int i = 0; i < 2; ++i) {
      m.mean[i] = m.count > 0 ? m.sum[i] / m.count : 0;
      const double variance = m.count > 0 ? m.squares[i] / m.count - m.mean[i] * m.mean[i] : 0;
      m.deviation[i] = std::max(least_deviation, std::sqrt(std::max(0.0, variance)));
    }
  };
  finish_one(all_);
  for (auto& entry : classes_) finish_one(entry.second);
}

bool SizeModel::learned() const { return all_.count >= least_count; }

double SizeModel::log_likelihood(int class_index, const CxcywhNormalized& box, int width,
                                 int height) const {
  if (!learned()) return 0;
  const auto found = classes_.find(class_index);
  const Moments& m =
      found != classes_.end() && found->second.count >= least_count ? found->second : all_;
  const auto [size, shape] = size_and_shape(box, width, height);
  const double values[2] = {size, shape};
  double sum = 0;
  for (int i = 0; i < 2; ++i) {
    const double z = (values[i] - m.mean[i]) / m.deviation[i];
    sum +=
        std::max(lowest, -z * z / 2 - std::log(m.deviation[i] * std::sqrt(2 * std::numbers::pi)));
  }
  return sum;
}

}  // namespace yolov7::dataset::doctor
