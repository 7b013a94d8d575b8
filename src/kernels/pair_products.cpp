#include "kernels/pair_products.hpp"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include <utility>

#include "kernels/simd.hpp"
#endif

namespace yolov7::kernels {

#if defined(__AVX512BF16__)
namespace {

/// Where the values of two pixels of 32 channels go: value c of the first and of the second beside
/// each other.
alignas(64) constexpr std::uint16_t lower_order[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                       37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                       11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
alignas(64) constexpr std::uint16_t upper_order[32] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21,
                                                       53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58,
                                                       27, 59, 28, 60, 29, 61, 30, 62, 31, 63};

/// The first `count` lanes at element `at`, without those outside [0, elements). Masked lanes are
/// not read.
YOLOV7_INLINE __m512i window(const std::uint16_t* row, std::int64_t elements, std::int64_t at,
                             std::int64_t count) {
  const std::int64_t before = at < 0 ? -at : 0, end = elements - at < count ? elements - at : count;
  if (before >= end) return _mm512_setzero_si512();
  const std::uint32_t mask = (0xffffffffu >> (32 - end)) & (0xffffffffu << before);
  return _mm512_maskz_loadu_epi16(mask, row + at);
}

constexpr std::int64_t prefetch_elements = 1024;

template <int lanes>
YOLOV7_INLINE void store_pairs(std::uint32_t* to, __m512i one, __m512i two, __m512i lower,
                               __m512i upper) {
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(one, lower, two));
  if constexpr (lanes == 32)
    _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi16(one, upper, two));
}

/// Pairs [begin, end) with windows that may reach outside the row.
template <int lanes>
void gather_edge(const PairRow& r, std::int64_t begin, std::int64_t end) {
  const __m512i lower = _mm512_load_si512(lower_order), upper = _mm512_load_si512(upper_order);
  const std::int64_t step = r.step * r.pixel;
  for (std::int64_t p = begin; p < end; ++p) {
    const std::int64_t at = r.first * r.pixel + 2 * p * step;
    for (std::int64_t c = 0; c < r.channels; c += lanes) {
      const std::int64_t count = r.channels - c < lanes ? r.channels - c : lanes;
      store_pairs<lanes>(r.to + p * r.pair_stride + c / lanes * r.block_stride,
                         window(r.row, r.elements, at + c, count),
                         window(r.row, r.elements, at + step + c, count), lower, upper);
    }
  }
}

template <int lanes>
void gather(const PairRow& r) {
  const __m512i lower = _mm512_load_si512(lower_order), upper = _mm512_load_si512(upper_order);
  const std::int64_t step = r.step * r.pixel, first = r.first * r.pixel;
  // Pair p is inside where first + 2p · step >= 0 and first + (2p + 1) · step + channels <=
  // elements.
  const std::int64_t room = r.elements - r.channels - step - first;
  std::int64_t begin = first < 0 ? (-first + 2 * step - 1) / (2 * step) : 0,
               end = room < 0 ? 0 : room / (2 * step) + 1;
  begin = begin < r.pairs ? begin : r.pairs;
  end = end < begin ? begin : end < r.pairs ? end : r.pairs;
  gather_edge<lanes>(r, 0, begin);
  gather_edge<lanes>(r, end, r.pairs);
  const std::int64_t whole = lanes == 32 ? r.channels / 32 * 32 : 0, rest = r.channels - whole;
  const std::uint32_t mask = rest == 0 ? 0 : 0xffffffffu >> (32 - rest);
  const std::uint16_t* from = r.row + first + 2 * begin * step;
  std::uint32_t* to = r.to + begin * r.pair_stride;
  for (std::int64_t p = begin; p < end; ++p, from += 2 * step, to += r.pair_stride) {
    std::uint32_t* block = to;
    for (std::int64_t c = 0; c < whole; c += 32, block += r.block_stride) {
      __builtin_prefetch(
          reinterpret_cast<const char*>(from + c + prefetch_elements));  // never dereferenced
      __builtin_prefetch(reinterpret_cast<const char*>(from + step + c + prefetch_elements));
      store_pairs<lanes>(block, _mm512_loadu_si512(from + c), _mm512_loadu_si512(from + step + c),
                         lower, upper);
    }
    if (rest == 0) continue;
    store_pairs<lanes>(block, _mm512_maskz_loadu_epi16(mask, from + whole),
                       _mm512_maskz_loadu_epi16(mask, from + step + whole), lower, upper);
  }
}

template <int count, int lanes>
YOLOV7_INLINE void multiply_rows(const PairProduct& p) {
  constexpr int vectors = lanes / 16;
  __m512 sums[count][vectors];
  for (int m = 0; m < count; ++m)
    for (int n = 0; n < vectors; ++n) sums[m][n] = _mm512_setzero_ps();
  for (std::int64_t segment = 0; segment < p.segments; ++segment)
    for (std::int64_t row = 0; row < p.rows; ++row) {
      const std::uint32_t* a = p.a + segment * p.a_segment + row * p.a_row;
      const std::uint32_t* b = p.b + segment * p.b_segment + row * p.b_row;
      for (std::int64_t pair = 0; pair < p.pairs; ++pair, a += p.a_pair, b += lanes) {
        __m512bh right[vectors];
        for (int n = 0; n < vectors; ++n)
          right[n] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + 16 * n));
#pragma GCC unroll 16
        for (int m = 0; m < count; ++m) {
          const __m512bh left =
              reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(a[m])));
          for (int n = 0; n < vectors; ++n)
            sums[m][n] = _mm512_dpbf16_ps(sums[m][n], left, right[n]);
        }
      }
    }
  for (int m = 0; m < count; ++m)
    for (int n = 0; n < vectors; ++n) {
      float* c = p.c + m * p.c_stride + 16 * n;
      _mm512_storeu_ps(c, _mm512_add_ps(_mm512_loadu_ps(c), sums[m][n]));
    }
}

template <int lanes, int... counts>
void multiply_counted(const PairProduct& p, std::integer_sequence<int, counts...>) {
  (void)((p.count == counts + 1 && (multiply_rows<counts + 1, lanes>(p), true)) || ...);
}

template <int lanes>
void multiply(const PairProduct& p) {
  multiply_counted<lanes>(p, std::make_integer_sequence<int, product_rows(lanes)>());
}

}  // namespace

PairLoops pair_loops(std::int64_t lanes) {
  if (lanes == 16) return {16, &gather<16>, &multiply<16>};
  return {32, &gather<32>, &multiply<32>};
}
#else
PairLoops pair_loops(std::int64_t) { return {}; }
#endif

void add_parts(const float* parts, std::int64_t count, std::int64_t stride, float* sums,
               std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) sums[i] = parts[i];
  for (std::int64_t p = 1; p < count; ++p)
    for (std::int64_t i = 0; i < size; ++i) sums[i] += parts[p * stride + i];
}

}  // namespace yolov7::kernels
