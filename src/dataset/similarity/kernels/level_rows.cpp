#include "dataset/similarity/kernels/level_rows.hpp"

#include <cstring>

#pragma GCC diagnostic ignored "-Wpsabi"

namespace yolov7::dataset::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

#define YOLOV7_INLINE __attribute__((always_inline)) inline

constexpr int lanes = 16;
using Whole = std::int32_t __attribute__((vector_size(64)));
using Real = float __attribute__((vector_size(64)));
using Pixel = std::uint8_t __attribute__((vector_size(4)));
using Sums = std::int32_t __attribute__((vector_size(16)));

/// Two neighbours at once, as the halves of a word of twice their size.
template <class Word, class Value>
YOLOV7_INLINE std::uint32_t pair_sum(const Value* values, int i) {
  Word word;
  std::memcpy(&word, values + 2 * i, sizeof word);
  constexpr int bits = 8 * sizeof(Value);
  return (static_cast<std::uint32_t>(word) & ((1U << bits) - 1)) +
         (static_cast<std::uint32_t>(word) >> bits);
}

void halve_bytes(const std::uint8_t* top, const std::uint8_t* bottom, int count,
                 std::uint16_t* sums) {
  for (int i = 0; i < count; ++i)
    sums[i] = static_cast<std::uint16_t>(pair_sum<std::uint16_t>(top, i) +
                                         pair_sum<std::uint16_t>(bottom, i));
}

void halve_sums(const std::uint16_t* top, const std::uint16_t* bottom, int count,
                std::uint16_t* sums) {
  for (int i = 0; i < count; ++i)
    sums[i] = static_cast<std::uint16_t>(pair_sum<std::uint32_t>(top, i) +
                                         pair_sum<std::uint32_t>(bottom, i));
}

void add_bytes(const std::uint8_t* row, float weight, int count, float* sums) {
  for (int i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(row[i]);
}

void add_sums(const std::uint16_t* row, float weight, int count, float* sums) {
  for (int i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(row[i]);
}

/// 64 values.
struct Wide {
  Real parts[4] = {};
  YOLOV7_INLINE void add(const float* values, float weight) {
    for (int i = 0; i < 4; ++i) {
      Real part;
      std::memcpy(&part, values + lanes * i, sizeof part);
      parts[i] += weight * part;
    }
  }
  YOLOV7_INLINE void store(float* values) const { std::memcpy(values, parts, sizeof parts); }
};

void down(const float* const* rows, const float* weights, int taps, float* result) {
  Wide sum;
  for (int k = 0; k < taps; ++k) sum.add(rows[k], weights[k]);
  sum.store(result);
}

void across(const float* row, const float* weights, int taps, float* result) {
  Wide sum;
  for (int k = 0; k < taps; ++k) sum.add(row + k, weights[k]);
  sum.store(result);
}

YOLOV7_INLINE Whole load(const std::int32_t* values) {
  Whole result;
  std::memcpy(&result, values, sizeof result);
  return result;
}

double band(const std::uint16_t* const* rows, int count, std::int32_t* scratch) {
  std::int32_t* const fine = scratch;
  std::int32_t* const coarse = scratch + count;
  for (int x = 0; x < count; ++x) {
    const std::int32_t far = rows[0][x] + rows[4][x], near = rows[1][x] + rows[3][x];
    fine[x] = near + 6 * rows[2][x];
    coarse[x] = far + 4 * near + 6 * rows[2][x];
  }
  Real sums = {};
  int x = 2;
  for (; x + lanes + 2 <= count; x += lanes) {
    const Whole f = load(fine + x - 1) + load(fine + x + 1) + 6 * load(fine + x);
    const Whole g = load(coarse + x - 2) + load(coarse + x + 2) +
                    4 * (load(coarse + x - 1) + load(coarse + x + 1)) + 6 * load(coarse + x);
    const Real difference = __builtin_convertvector(4 * f - g, Real);
    sums += difference * difference;
  }
  double sum = 0;
  for (int i = 0; i < lanes; ++i) sum += static_cast<double>(sums[i]);
  for (; x + 2 < count; ++x) {
    const std::int32_t f = fine[x - 1] + fine[x + 1] + 6 * fine[x];
    const std::int32_t g =
        coarse[x - 2] + coarse[x + 2] + 4 * (coarse[x - 1] + coarse[x + 1]) + 6 * coarse[x];
    sum += static_cast<double>(4 * f - g) * static_cast<double>(4 * f - g);
  }
  return sum;
}

YOLOV7_INLINE std::uint8_t strength(int across, int down) {
  const int sum = ((across < 0 ? -across : across) + (down < 0 ? -down : down)) / 2;
  return static_cast<std::uint8_t>(sum < 255 ? sum : 255);
}

void edges(const std::uint8_t* const* rows, int count, std::int16_t* scratch,
           std::uint8_t* result) {
  std::int16_t* const smooth = scratch;
  std::int16_t* const change = scratch + count;
  for (int x = 0; x < count; ++x) {
    smooth[x] = static_cast<std::int16_t>(rows[0][x] + 2 * rows[1][x] + rows[2][x]);
    change[x] = static_cast<std::int16_t>(rows[2][x] - rows[0][x]);
  }
  for (int x = 1; x + 1 < count; ++x)
    result[x] =
        strength(smooth[x + 1] - smooth[x - 1], change[x - 1] + 2 * change[x] + change[x + 1]);
  const int last = count - 1;
  result[0] = strength(0, 2 * change[0] + 2 * change[1]);
  result[last] = strength(0, 2 * change[last] + 2 * change[last - 1]);
}

void integral(const std::uint8_t* pixels, int count, const std::int32_t* above,
              std::int32_t* sums) {
  Sums row = {};
  std::memcpy(sums, above, sizeof row);
  for (int i = 0; i < count; ++i) {
    Pixel pixel;
    Sums over;
    std::memcpy(&pixel, pixels + 4 * i, sizeof pixel);
    std::memcpy(&over, above + 4 * (i + 1), sizeof over);
    row += __builtin_convertvector(pixel, Sums);
    const Sums all = row + over;
    std::memcpy(sums + 4 * (i + 1), &all, sizeof all);
  }
}

}  // namespace

LevelRows level_rows() {
  return {halve_bytes, halve_sums, add_bytes, add_sums, down, across, band, edges, integral};
}

}  // namespace yolov7::dataset::kernels::YOLOV7_INSTRUCTION_SET
