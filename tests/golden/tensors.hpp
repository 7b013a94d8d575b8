#pragma once
// Tensors of the reference files: the input that they were made with, and a comparison with a
// digest.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "golden/reference.hpp"
#include "kernels/torch.hpp"

namespace yolov7::golden {

/// u('input') of shape [2, 3, size, size].
inline at::Tensor input(std::int64_t size) {
  const Sequence sequence("input");
  at::Tensor images = at::empty({2, 3, size, size}, at::kDouble);
  double* values = images.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < images.numel(); ++i)
    values[i] = sequence.unit(static_cast<std::uint64_t>(i));
  return images;
}

/// Every number of the digest of a float64 tensor within 1e-9 · max(1, |v|), the bound that design
/// 5 gives.
inline void expect_exact(const at::Tensor& tensor, const nlohmann::json& expected,
                         const std::string& where) {
  const at::Tensor values = tensor.contiguous();
  const Digest wanted = read_digest(expected);
  const Digest found =
      digest_of(values.const_data_ptr<double>(), static_cast<std::size_t>(values.numel()),
                values.sizes().vec(), wanted);
  ASSERT_EQ(found.shape, wanted.shape) << where;
  const auto near = [&](double f, double w, const char* what) {
    EXPECT_LE(std::abs(f - w), 1e-9 * std::max(1.0, std::abs(w)))
        << where << ' ' << what << ": " << f << ", expected " << w;
  };
  near(found.mean, wanted.mean, "mean");
  near(found.std, wanted.std, "std");
  near(found.absmax, wanted.absmax, "absmax");
  for (std::size_t i = 0; i < wanted.samples.size(); ++i)
    near(found.samples[i].second, wanted.samples[i].second, "sample");
}

inline void expect_exact(const std::vector<at::Tensor>& maps, const nlohmann::json& expected,
                         const std::string& where) {
  ASSERT_EQ(maps.size(), expected.size()) << where;
  for (std::size_t l = 0; l < maps.size(); ++l)
    expect_exact(maps[l], expected[l], where + ' ' + std::to_string(l));
}

}  // namespace yolov7::golden
