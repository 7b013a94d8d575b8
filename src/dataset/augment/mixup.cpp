#include "dataset/augment/mixup.hpp"

#include <array>
#include <cstdint>

namespace yolov7::dataset {

void mixup(Sample& first, const Sample& second, double ratio) {
  std::array<double, 256> a{}, b{};
  for (std::size_t i = 0; i < 256; ++i) {
    a[i] = static_cast<double>(i) * ratio;
    b[i] = static_cast<double>(i) * (1 - ratio);
  }
  const std::ptrdiff_t row_bytes = std::ptrdiff_t{3} * first.picture.cols;
  for (int y = 0; y < first.picture.rows; ++y) {
    auto* p = first.picture.ptr<std::uint8_t>(y);
    const auto* q = second.picture.ptr<std::uint8_t>(y);
    for (std::ptrdiff_t i = 0; i < row_bytes; ++i)
      p[i] = static_cast<std::uint8_t>(a[p[i]] + b[q[i]]);
  }
  first.objects.insert(first.objects.end(), second.objects.begin(), second.objects.end());
}

}  // namespace yolov7::dataset
