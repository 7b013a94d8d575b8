#include "dataset/augment/transforms/transform.hpp"

#include <algorithm>
#include <cmath>

namespace yolov7::dataset {

double between(const std::vector<double>& range, Random& random) {
  return range.size() == 1 ? range[0] : random.uniform(range[0], range[1]);
}

double around(const std::vector<double>& limit, Random& random) {
  return limit.size() == 1 ? random.uniform(-limit[0], limit[0])
                           : random.uniform(limit[0], limit[1]);
}

int whole_between(const std::vector<int>& range, Random& random) {
  return range.size() == 1 ? range[0] : static_cast<int>(random.integer(range[0], range[1]));
}

int odd_between(const std::vector<int>& range, Random& random) {
  const int low = range.front() | 1, high = range.back() % 2 == 0 ? range.back() - 1 : range.back();
  return low + 2 * static_cast<int>(random.integer(0, std::max(0, (high - low) / 2)));
}

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

}  // namespace yolov7::dataset
