#pragma once
// Matrix products of bfloat16 values along pixels: Σ over pixels of a · b for all channels of a and
// of b, in float32. The processor takes two values per 32-bit word, so the values of two
// neighbouring pixels are first brought together ("pairs"). Free of LibTorch.
#include <cstdint>

namespace yolov7::kernels {

/// One row of pixels to be brought into pairs. A window of `channels` values stands at element
/// (first + i · step) · pixel of the row, for i = 0 … 2 · pairs − 1; what of it lies outside the
/// row's `elements` reads as 0. Where `channels` is the values of several pixels, the window covers
/// those.
struct PairRow {
  const std::uint16_t* row = nullptr;
  std::int64_t elements = 0, pixel = 0, first = 0, step = 1;
  std::int64_t pairs = 0, channels = 0;
  std::uint32_t* to = nullptr;  ///< word c of pair p and block c / lanes: to[p · pair_stride +
                                ///< block · block_stride + c % lanes]
  std::int64_t pair_stride = 0, block_stride = 0;
};

/// c[m · c_stride + n] += Σ a · b over `rows` rows of `pairs` pairs; m < count (1 …
/// product_rows(lanes)), n < lanes.
struct PairProduct {
  const std::uint32_t* a = nullptr;  ///< word m of a pair
  const std::uint32_t* b = nullptr;  ///< word n of a pair; pairs lie `lanes` words apart
  std::int64_t segments = 1, rows = 0, pairs = 0;
  std::int64_t a_segment = 0, a_row = 0, a_pair = 0, b_segment = 0, b_row = 0;
  std::int64_t count = 0;
  float* c = nullptr;
  std::int64_t c_stride = 0;
};

/// The most rows of a PairProduct: sixteen sums of sixteen lanes hide the latency of the product.
constexpr std::int64_t product_rows(std::int64_t lanes) { return 256 / lanes; }

/// For blocks of 16 or 32 channels (`lanes`).
struct PairLoops {
  std::int64_t lanes = 0;
  void (*gather)(const PairRow&) = nullptr;  ///< words past `channels` in the last block are 0
  void (*multiply)(const PairProduct&) = nullptr;
};

/// sums[i] = Σ parts[p · stride + i], p < count in order, i < size.
void add_parts(const float* parts, std::int64_t count, std::int64_t stride, float* sums,
               std::int64_t size);

/// lanes: 16 or 32. Only where has_bfloat16_products().
PairLoops pair_loops(std::int64_t lanes);

}  // namespace yolov7::kernels
