#pragma once
// Sixteen float32 lanes in GCC's vector extension, which GCC and clang lower to whatever the target
// has: one AVX-512 register, two of AVX2, four of SSE2. Memory holds float32 or bfloat16 (its 16
// bits); arithmetic is always float32. Everything here is inlined, so that each file of loops gets
// the version for its own instruction set.
#include <cstdint>
#include <cstring>

#define YOLOV7_INLINE __attribute__((always_inline)) inline

// Vectors never cross a function boundary that is not inlined, so the ABI note about them does not
// apply.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace yolov7::kernels {

using Lanes = float __attribute__((vector_size(64)));
using LaneBits = std::uint32_t __attribute__((vector_size(64)));
using LaneInts = std::int32_t __attribute__((vector_size(64)));

/// Values are taken thirty-two at a time.
inline constexpr std::int64_t group = 32;

/// A bfloat16 value: the upper half of a float32.
struct BFloat16 {
  std::uint16_t bits;
};

YOLOV7_INLINE LaneBits to_bits(Lanes v) { return reinterpret_cast<LaneBits>(v); }
YOLOV7_INLINE Lanes from_bits(LaneBits v) { return reinterpret_cast<Lanes>(v); }
YOLOV7_INLINE Lanes broadcast(float v) { return v - Lanes{}; }

/// Thirty-two values in "lane order". float32: a holds the first sixteen, b the others. bfloat16: a
/// holds the even ones, b the odd ones, because a 32-bit word that holds two of them is taken apart
/// by one shift and one mask.
struct Pair {
  Lanes a, b;
};

/// Where value i of a group of 32 lies in lane order.
template <class T>
YOLOV7_INLINE constexpr std::int64_t lane_position(std::int64_t i) {
  if constexpr (sizeof(T) == sizeof(float)) return i;
  return i / group * group + (i % 2) * (group / 2) + i % group / 2;
}
/// `count` rounded up to whole groups.
YOLOV7_INLINE constexpr std::int64_t padded(std::int64_t count) {
  return (count + group - 1) / group * group;
}

YOLOV7_INLINE Pair load(const float* from) {
  Lanes a, b;  // one copy per register: a copy of the whole Pair goes through the stack
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + group / 2, sizeof b);
  return {a, b};
}
YOLOV7_INLINE void store(float* to, const Pair& v) {
  std::memcpy(to, &v.a, sizeof v.a);
  std::memcpy(to + group / 2, &v.b, sizeof v.b);
}

YOLOV7_INLINE Pair load(const BFloat16* from) {
  LaneBits words;
  std::memcpy(&words, from, sizeof words);
  return {from_bits(words << 16), from_bits(words & 0xffff0000u)};
}

/// The upper half holds the value rounded to nearest, ties to even; any NaN becomes the quiet one.
YOLOV7_INLINE LaneBits rounded(Lanes v) {
  const LaneBits bits = to_bits(v);
  return v != v ? LaneBits{} + 0x7fc00000u : bits + 0x7fffu + ((bits >> 16) & 1u);
}
YOLOV7_INLINE void store(BFloat16* to, const Pair& v) {
  const LaneBits words = (rounded(v.a) >> 16) | (rounded(v.b) & 0xffff0000u);
  std::memcpy(to, &words, sizeof words);
}

/// The first `count` < 32 values; the others read as 0 and are not written.
template <class T>
YOLOV7_INLINE Pair load_some(const T* from, std::int64_t count) {
  T values[group] = {};
  std::memcpy(values, from, sizeof(T) * static_cast<std::size_t>(count));
  return load(values);
}
template <class T>
YOLOV7_INLINE void store_some(T* to, const Pair& v, std::int64_t count) {
  T values[group];
  store(values, v);
  std::memcpy(to, values, sizeof(T) * static_cast<std::size_t>(count));
}

/// A whole group, or its first `some` values.
template <bool whole, class T>
YOLOV7_INLINE Pair get(const T* from, std::int64_t some) {
  if constexpr (whole) return load(from);
  return load_some(from, some);
}
template <bool whole, class T>
YOLOV7_INLINE void put(T* to, const Pair& v, std::int64_t some) {
  if constexpr (whole)
    store(to, v);
  else
    store_some(to, v, some);
}

/// e^v within 2 units in the last place for |v| ≤ 87; saturates beyond, NaN stays NaN. Cody–Waite
/// reduction to |r| ≤ ln 2 / 2 and the Taylor polynomial of degree 7 (remainder r⁸/8! < 6e-9 of the
/// result).
YOLOV7_INLINE Lanes exponential(Lanes v) {
  const Lanes top = broadcast(87.0F);
  v = v > top ? top : v;
  v = v < -top ? -top : v;
  const Lanes shifter =
      broadcast(12582912.0F);  // 1.5 · 2²³: adding it rounds to an integer in the low bits
  const Lanes shifted = v * 1.44269504F + shifter;
  const Lanes n = shifted - shifter;
  const Lanes r = (v - n * 0.693359375F) + n * 2.12194440e-4F;
  Lanes p = broadcast(1.0F / 5040) * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const LaneInts power = reinterpret_cast<LaneInts>(shifted) - 0x4b400000;
  return p * reinterpret_cast<Lanes>((power + 127) << 23);
}

YOLOV7_INLINE Lanes sigmoid(Lanes v) { return 1.0F / (1.0F + exponential(-v)); }

}  // namespace yolov7::kernels
