#include "dataset/augment/kernels/picture_rows.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstring>

#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored \
    "-Wmaybe-uninitialized"  // GCC 12 says it of its own header's undefined registers

namespace yolov7::dataset::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

#define YOLOV7_INLINE __attribute__((always_inline)) inline

constexpr int lanes = 16;
using Words = std::uint32_t __attribute__((vector_size(64)));
using Whole = std::int32_t __attribute__((vector_size(64)));
using Real = float __attribute__((vector_size(64)));

YOLOV7_INLINE void warp_pixel(const WarpRow& row, int i) {
  const std::int32_t px = (row.x0 + row.dx[i]) >> 5, py = (row.y0 + row.dy[i]) >> 5;
  const std::uint32_t a = static_cast<std::uint32_t>(px & 31),
                      b = static_cast<std::uint32_t>(py & 31);
  const std::uint8_t* const p = row.source + static_cast<std::ptrdiff_t>(py >> 5) * row.stride +
                                static_cast<std::ptrdiff_t>(3) * (px >> 5);
  const std::uint8_t* const q = p + row.stride;
  std::uint32_t word = 0;
  for (int c = 0; c < 3; ++c) {
    const std::uint32_t sum =
        (32 - b) * ((32 - a) * p[c] + a * p[c + 3]) + b * ((32 - a) * q[c] + a * q[c + 3]);
    word |= ((sum + 512) >> 10) << (8 * c);
  }
  row.words[i] = word;
}

YOLOV7_INLINE void level_pixel(const WarpRow& row, const std::uint16_t* joined, int first, int i) {
  const std::int32_t px = (row.x0 + row.dx[i]) >> 5;
  const std::uint32_t a = static_cast<std::uint32_t>(px & 31);
  const std::uint16_t* const p = joined + (3 * (px >> 5) - first);
  std::uint32_t word = 0;
  for (int c = 0; c < 3; ++c) word |= (((32 - a) * p[c] + a * p[c + 3] + 512) >> 10) << (8 * c);
  row.words[i] = word;
}

#if defined(__AVX512BW__)

/// Four pixels: their two rows of two pixels each, 8 bytes a row, become one lane; the sums of
/// products never leave 18 bits.
YOLOV7_INLINE __m512i four_pixels(const WarpRow& row, const std::int32_t* offsets,
                                  __m512i weights_x, __m512i weights_y) {
  const auto pixel = [&](int k) {
    const auto* p = reinterpret_cast<const char*>(row.source) + offsets[k];
    const __m128i top = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castpd_si128(
        _mm_loadh_pd(_mm_castsi128_pd(top), reinterpret_cast<const double*>(p + row.stride)));
  };
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(0)), pixel(1), 1),
                high = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(2)), pixel(3), 1);
  const __m512i neighbours = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  const __m512i pairs =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1));
  const __m512i across = _mm512_maddubs_epi16(_mm512_shuffle_epi8(neighbours, pairs), weights_x);
  const __m512i both = _mm512_unpacklo_epi16(across, _mm512_shuffle_epi32(across, _MM_PERM_BADC));
  return _mm512_srli_epi32(
      _mm512_add_epi32(_mm512_madd_epi16(both, weights_y), _mm512_set1_epi32(512)), 10);
}

/// Four values of 32 bits a pixel, of which the unused fourth is 0, four pixels a register. Packing
/// leaves pixel 4 g + L in lane L, place g.
YOLOV7_INLINE void store_packed(std::uint32_t* words, const __m512i* sums) {
  const __m512i packed = _mm512_packus_epi16(_mm512_packus_epi32(sums[0], sums[1]),
                                             _mm512_packus_epi32(sums[2], sums[3]));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(words, _mm512_permutexvar_epi32(order, packed));
}

YOLOV7_INLINE void warp_sixteen(const WarpRow& row, int i) {
  const __m512i px = _mm512_srai_epi32(
      _mm512_add_epi32(_mm512_loadu_si512(row.dx + i), _mm512_set1_epi32(row.x0)), 5);
  const __m512i py = _mm512_srai_epi32(
      _mm512_add_epi32(_mm512_loadu_si512(row.dy + i), _mm512_set1_epi32(row.y0)), 5);
  const __m512i low = _mm512_set1_epi32(31), whole = _mm512_set1_epi32(32),
                a = _mm512_and_si512(px, low), b = _mm512_and_si512(py, low);
  const __m512i x = _mm512_srai_epi32(px, 5), y = _mm512_srai_epi32(py, 5);
  alignas(64) std::int32_t offsets[lanes];
  _mm512_store_si512(
      offsets,
      _mm512_add_epi32(_mm512_mullo_epi32(y, _mm512_set1_epi32(static_cast<int>(row.stride))),
                       _mm512_add_epi32(x, _mm512_slli_epi32(x, 1))));
  const __m512i pair_x = _mm512_or_si512(_mm512_sub_epi32(whole, a), _mm512_slli_epi32(a, 8));
  const __m512i words_x = _mm512_or_si512(pair_x, _mm512_slli_epi32(pair_x, 16)),
                words_y = _mm512_or_si512(_mm512_sub_epi32(whole, b), _mm512_slli_epi32(b, 16));
  const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  __m512i sums[4];
  for (int g = 0; g < 4; ++g) {
    const __m512i of = _mm512_add_epi32(lane, _mm512_set1_epi32(4 * g));
    sums[g] = four_pixels(row, offsets + 4 * g, _mm512_permutexvar_epi32(of, words_x),
                          _mm512_permutexvar_epi32(of, words_y));
  }
  store_packed(row.words + i, sums);
}

/// Columns of a row that is joined already, 16 bits each: `joined` begins at the source's byte
/// `first`.
YOLOV7_INLINE void level_sixteen(const WarpRow& row, const std::uint16_t* joined, int first,
                                 int i) {
  const __m512i px = _mm512_srai_epi32(
      _mm512_add_epi32(_mm512_loadu_si512(row.dx + i), _mm512_set1_epi32(row.x0)), 5);
  const __m512i a = _mm512_and_si512(px, _mm512_set1_epi32(31)), x = _mm512_srai_epi32(px, 5);
  alignas(64) std::int32_t offsets[lanes];
  _mm512_store_si512(offsets, _mm512_sub_epi32(_mm512_add_epi32(x, _mm512_slli_epi32(x, 1)),
                                               _mm512_set1_epi32(first)));
  const __m512i weights =
      _mm512_or_si512(_mm512_sub_epi32(_mm512_set1_epi32(32), a), _mm512_slli_epi32(a, 16));
  const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m512i pairs =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
  __m512i sums[4];
  for (int g = 0; g < 4; ++g) {
    const auto pixel = [&](int k) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(joined + offsets[4 * g + k]));
    };
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(0)), pixel(1), 1),
                  high = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(2)), pixel(3), 1);
    const __m512i neighbours =
        _mm512_shuffle_epi8(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), pairs);
    const __m512i sum = _mm512_madd_epi16(
        neighbours,
        _mm512_permutexvar_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(4 * g)), weights));
    sums[g] = _mm512_srli_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(512)), 10);
  }
  store_packed(row.words + i, sums);
}

#elif defined(__AVX2__)

YOLOV7_INLINE __m256i two_pixels(const WarpRow& row, const std::int32_t* offsets, __m256i weights_x,
                                 __m256i weights_y) {
  const auto pixel = [&](int k) {
    const auto* p = reinterpret_cast<const char*>(row.source) + offsets[k];
    const __m128i top = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castpd_si128(
        _mm_loadh_pd(_mm_castsi128_pd(top), reinterpret_cast<const double*>(p + row.stride)));
  };
  const __m256i neighbours = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(0)), pixel(1), 1);
  const __m256i pairs = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1));
  const __m256i across = _mm256_maddubs_epi16(_mm256_shuffle_epi8(neighbours, pairs), weights_x);
  const __m256i both = _mm256_unpacklo_epi16(across, _mm256_shuffle_epi32(across, 0x4E));
  return _mm256_srli_epi32(
      _mm256_add_epi32(_mm256_madd_epi16(both, weights_y), _mm256_set1_epi32(512)), 10);
}

/// Packing leaves pixel 2 g + L in lane L, place g.
YOLOV7_INLINE void store_packed(std::uint32_t* words, const __m256i* sums) {
  const __m256i packed = _mm256_packus_epi16(_mm256_packus_epi32(sums[0], sums[1]),
                                             _mm256_packus_epi32(sums[2], sums[3]));
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(words),
      _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

YOLOV7_INLINE void warp_eight(const WarpRow& row, int i) {
  const __m256i px = _mm256_srai_epi32(
      _mm256_add_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row.dx + i)),
                       _mm256_set1_epi32(row.x0)),
      5);
  const __m256i py = _mm256_srai_epi32(
      _mm256_add_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row.dy + i)),
                       _mm256_set1_epi32(row.y0)),
      5);
  const __m256i low = _mm256_set1_epi32(31), whole = _mm256_set1_epi32(32),
                a = _mm256_and_si256(px, low), b = _mm256_and_si256(py, low);
  const __m256i x = _mm256_srai_epi32(px, 5), y = _mm256_srai_epi32(py, 5);
  alignas(32) std::int32_t offsets[8];
  _mm256_store_si256(
      reinterpret_cast<__m256i*>(offsets),
      _mm256_add_epi32(_mm256_mullo_epi32(y, _mm256_set1_epi32(static_cast<int>(row.stride))),
                       _mm256_add_epi32(x, _mm256_slli_epi32(x, 1))));
  const __m256i pair_x = _mm256_or_si256(_mm256_sub_epi32(whole, a), _mm256_slli_epi32(a, 8));
  const __m256i words_x = _mm256_or_si256(pair_x, _mm256_slli_epi32(pair_x, 16)),
                words_y = _mm256_or_si256(_mm256_sub_epi32(whole, b), _mm256_slli_epi32(b, 16));
  const __m256i lane = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  __m256i sums[4];
  for (int g = 0; g < 4; ++g) {
    const __m256i of = _mm256_add_epi32(lane, _mm256_set1_epi32(2 * g));
    sums[g] = two_pixels(row, offsets + 2 * g, _mm256_permutevar8x32_epi32(words_x, of),
                         _mm256_permutevar8x32_epi32(words_y, of));
  }
  store_packed(row.words + i, sums);
}

YOLOV7_INLINE void level_eight(const WarpRow& row, const std::uint16_t* joined, int first, int i) {
  const __m256i px = _mm256_srai_epi32(
      _mm256_add_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row.dx + i)),
                       _mm256_set1_epi32(row.x0)),
      5);
  const __m256i a = _mm256_and_si256(px, _mm256_set1_epi32(31)), x = _mm256_srai_epi32(px, 5);
  alignas(32) std::int32_t offsets[8];
  _mm256_store_si256(
      reinterpret_cast<__m256i*>(offsets),
      _mm256_sub_epi32(_mm256_add_epi32(x, _mm256_slli_epi32(x, 1)), _mm256_set1_epi32(first)));
  const __m256i weights =
      _mm256_or_si256(_mm256_sub_epi32(_mm256_set1_epi32(32), a), _mm256_slli_epi32(a, 16));
  const __m256i lane = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  const __m256i pairs = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
  __m256i sums[4];
  for (int g = 0; g < 4; ++g) {
    const auto pixel = [&](int k) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(joined + offsets[2 * g + k]));
    };
    const __m256i neighbours = _mm256_shuffle_epi8(
        _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(0)), pixel(1), 1), pairs);
    const __m256i sum = _mm256_madd_epi16(
        neighbours,
        _mm256_permutevar8x32_epi32(weights, _mm256_add_epi32(lane, _mm256_set1_epi32(2 * g))));
    sums[g] = _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(512)), 10);
  }
  store_packed(row.words + i, sums);
}

YOLOV7_INLINE void level_sixteen(const WarpRow& row, const std::uint16_t* joined, int first,
                                 int i) {
  level_eight(row, joined, first, i);
  level_eight(row, joined, first, i + 8);
}

YOLOV7_INLINE void warp_sixteen(const WarpRow& row, int i) {
  warp_eight(row, i);
  warp_eight(row, i + 8);
}

#else

YOLOV7_INLINE void level_sixteen(const WarpRow& row, const std::uint16_t* joined, int first,
                                 int i) {
  for (int k = 0; k < lanes; ++k) level_pixel(row, joined, first, i + k);
}

YOLOV7_INLINE void warp_sixteen(const WarpRow& row, int i) {
  for (int k = 0; k < lanes; ++k) warp_pixel(row, i + k);
}

#endif

void warp(const WarpRow& row, int from, int to) {
  int i = from;
  for (; i + lanes <= to; i += lanes) warp_sixteen(row, i);
  for (; i < to; ++i) warp_pixel(row, i);
}

void warp_level(const WarpRow& row, int from, int to) {
  if (from >= to) return;
  const int one = (row.x0 + row.dx[from]) >> 10, other = (row.x0 + row.dx[to - 1]) >> 10;
  const int first = 3 * (one < other ? one : other),
            count = 3 * ((one < other ? other : one) + 2) - first;
  const std::int32_t py = row.y0 >> 5;
  const auto b = static_cast<std::uint16_t>(py & 31), rest = static_cast<std::uint16_t>(32 - b);
  const std::uint8_t* const p =
      row.source + static_cast<std::ptrdiff_t>(py >> 5) * row.stride + first;
  const std::uint8_t* const q = p + row.stride;
  std::uint16_t* const joined = row.scratch;
  for (int j = 0; j < count; ++j) joined[j] = static_cast<std::uint16_t>(rest * p[j] + b * q[j]);
  int i = from;
  for (; i + lanes <= to; i += lanes) level_sixteen(row, joined, first, i);
  for (; i < to; ++i) level_pixel(row, joined, first, i);
}

YOLOV7_INLINE Real real(Whole v) { return __builtin_convertvector(v, Real); }
YOLOV7_INLINE Words truncated_to_words(Real v) {
  return reinterpret_cast<Words>(__builtin_convertvector(v, Whole));
}
#if defined(__AVX512F__)
YOLOV7_INLINE Real truncated(Real v) {
  return reinterpret_cast<Real>(
      _mm512_roundscale_ps(reinterpret_cast<__m512>(v), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC));
}
YOLOV7_INLINE Real smaller(Real a, Real b) {
  return reinterpret_cast<Real>(
      _mm512_min_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
}
YOLOV7_INLINE Real larger(Real a, Real b) {
  return reinterpret_cast<Real>(
      _mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
}
#else
YOLOV7_INLINE Real truncated(Real v) { return real(__builtin_convertvector(v, Whole)); }
YOLOV7_INLINE Real smaller(Real a, Real b) { return a < b ? a : b; }
YOLOV7_INLINE Real larger(Real a, Real b) { return a > b ? a : b; }
#endif
/// Nearest whole number, halves to even, of 0 … 2^22.
YOLOV7_INLINE Real nearest(Real v) {
  constexpr float magic = 12582912.0f;  // 1.5 · 2^23: its last bit counts ones
  return (v + magic) - magic;
}
YOLOV7_INLINE Real distance(Real a, float b) {
  return reinterpret_cast<Real>(reinterpret_cast<Words>(a - b) & 0x7FFFFFFF);
}

/// Whole numbers, all of them: below 2^24 float32 is exact.
struct Hsv {
  Real h, s, v;
};

YOLOV7_INLINE Words load(const std::uint32_t* from) {
  Words w;
  std::memcpy(&w, from, sizeof w);
  return w;
}
YOLOV7_INLINE void store(std::uint32_t* to, Words w) { std::memcpy(to, &w, sizeof w); }
YOLOV7_INLINE Hsv apart(Words w) {
  return {real(reinterpret_cast<Whole>(w & 255)), real(reinterpret_cast<Whole>((w >> 8) & 255)),
          real(reinterpret_cast<Whole>((w >> 16) & 255))};
}

/// OpenCV's 8-bit conversion: reciprocals in 1/4096, each rounded, and products rounded by adding a
/// half.
YOLOV7_INLINE Hsv to_hsv(Words w) {
  const auto [b, g, r] = apart(w);
  const Real v = larger(larger(b, g), r), difference = v - smaller(smaller(b, g), r),
             one = Real{} + 1;
  const Real per_value = nearest(1044480.0f / larger(v, one)),
             per_difference =
                 nearest(122880.0f / larger(difference, one));  // 255 · 4096, 180 / 6 · 4096
  const Real s = truncated((difference * per_value + 2048) * (1 / 4096.0f));
  const Real sixths = v == r ? g - b : v == g ? b - r + 2 * difference : r - g + 4 * difference;
  const Real turned = sixths * per_difference + 2048;
  return {truncated((turned < 0 ? turned + 180 * 4096 : turned) * (1 / 4096.0f)), s, v};
}

/// v (1 − s (1 − c)), with c in 0 … 1 growing from the hue's distances to red, green and blue.
/// Whole numbers over 7650 = 255 · 30; what is added beyond the half, half of 1 / 7650, sends exact
/// halves upward and nothing else over the edge.
YOLOV7_INLINE Words from_hsv(Real h, Real s, Real v) {
  const Real base = 7650 - 30 * s, scaled = v * (1 / 7650.0f), zero{}, most = zero + 30;
  const auto channel = [&](Real c) {
    return truncated_to_words((base + s * smaller(larger(c, zero), most)) * scaled + 0.500065f);
  };
  return channel(60 - distance(h, 120)) | channel(60 - distance(h, 60)) << 8 |
         channel(distance(h, 90) - 30) << 16;
}

void to_hsv_row(std::uint32_t* words, int count) {
  for (int i = 0; i < count; i += lanes) {
    const Hsv hsv = to_hsv(load(words + i));
    store(words + i, truncated_to_words(hsv.h) | truncated_to_words(hsv.s) << 8 |
                         truncated_to_words(hsv.v) << 16);
  }
}

void from_hsv_row(std::uint32_t* words, int count) {
  for (int i = 0; i < count; i += lanes) {
    const Hsv hsv = apart(load(words + i));
    store(words + i, from_hsv(hsv.h, hsv.s, hsv.v));
  }
}

void colours(std::uint32_t* words, int count, const ColourFactors& factors) {
  for (int i = 0; i < count; i += lanes) {
    const Hsv hsv = to_hsv(load(words + i));
    const Real turned = truncated(hsv.h * factors.hue), most = Real{} + 255;
    const Real h = turned >= 180 ? turned - 180 : turned,
               s = smaller(truncated(hsv.s * factors.saturation), most),
               v = smaller(truncated(hsv.v * factors.value), most);
    store(words + i, from_hsv(h, s, v));
  }
}

void planes(const std::uint32_t* words, int count, std::uint8_t* red, std::uint8_t* green,
            std::uint8_t* blue) {
  for (int i = 0; i < count; ++i) blue[i] = static_cast<std::uint8_t>(words[i]);
  for (int i = 0; i < count; ++i) green[i] = static_cast<std::uint8_t>(words[i] >> 8);
  for (int i = 0; i < count; ++i) red[i] = static_cast<std::uint8_t>(words[i] >> 16);
}

}  // namespace

PictureRows picture_rows() {
  return {&warp, &warp_level, &to_hsv_row, &from_hsv_row, &colours, &planes};
}

}  // namespace yolov7::dataset::kernels::YOLOV7_INSTRUCTION_SET
