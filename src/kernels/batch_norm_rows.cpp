#include "kernels/batch_norm_rows.hpp"

namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

using network::ActivationKind;

template <ActivationKind kind>
YOLOV7_INLINE Lanes activation(Lanes z, float negative_slope) {
  if constexpr (kind == ActivationKind::silu) return z * sigmoid(z);
  if constexpr (kind == ActivationKind::relu) return z <= 0.0F ? Lanes{} : z;  // NaN stays NaN
  if constexpr (kind == ActivationKind::relu6) {
    const Lanes low = z <= 0.0F ? Lanes{} : z;
    return low >= 6.0F ? Lanes{} + 6.0F : low;
  }
  if constexpr (kind == ActivationKind::leaky_relu) return z > 0.0F ? z : z * negative_slope;
  return z;
}

/// act'(z) · dy; the derivative at 0 is that of the negative side, and at 6 that of above.
template <ActivationKind kind>
YOLOV7_INLINE Lanes activation_gradient(Lanes z, Lanes dy, float negative_slope) {
  if constexpr (kind == ActivationKind::silu) {
    const Lanes s = sigmoid(z);
    return dy * (s * (1.0F + z * (1.0F - s)));
  }
  if constexpr (kind == ActivationKind::relu) return z <= 0.0F ? Lanes{} : dy;
  if constexpr (kind == ActivationKind::relu6) {
    const Lanes low = z <= 0.0F ? Lanes{} : dy;
    return z >= 6.0F ? Lanes{} : low;
  }
  if constexpr (kind == ActivationKind::leaky_relu) return z > 0.0F ? dy : dy * negative_slope;
  return dy;
}

/// each<rows, whole>(row, c, some) for four rows at a time and then one, and in them for every
/// group of channels: what is loaded per channel serves four rows, and the order is fixed. `some`
/// is the size of the last group.
template <class Each>
YOLOV7_INLINE void over_groups(std::int64_t rows, std::int64_t channels, const Each& each) {
  const std::int64_t whole = channels / group * group, rest = channels - whole;
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    for (std::int64_t c = 0; c < whole; c += group)
      each.template operator()<4, true>(row, c, group);
    if (rest != 0) each.template operator()<4, false>(row, whole, rest);
  }
  for (; row < rows; ++row) {
    for (std::int64_t c = 0; c < whole; c += group)
      each.template operator()<1, true>(row, c, group);
    if (rest != 0) each.template operator()<1, false>(row, whole, rest);
  }
}

/// Bytes ahead of the read position. The passes that only read gain up to a half from asking early;
/// those that write as well are not limited by it.
constexpr std::int64_t prefetch_distance = 4096;

template <bool whole, class T>
YOLOV7_INLINE Pair get_ahead(const T* from, std::int64_t some) {
  const char* ahead =
      reinterpret_cast<const char*>(from) + prefetch_distance;  // never dereferenced
  __builtin_prefetch(ahead);
  if constexpr (sizeof(T) == sizeof(float)) __builtin_prefetch(ahead + 64);
  return get<whole>(from, some);
}

/// What one row adds to two running sums of a group of channels. The halves of the pairs stand
/// alone because GCC keeps larger structures on the stack.
struct Terms {
  Lanes first_a, first_b, second_a, second_b;
};

/// first[c] += …, second[c] += … over all rows, from zero; term<whole>(row, c, some) gives a row's
/// Terms. The running sums stay in the first-level cache; one load and one store of them serves
/// four rows.
template <class Term>
YOLOV7_INLINE void accumulate(std::int64_t rows, std::int64_t channels, float* first, float* second,
                              const Term& term) {
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(padded(channels));
  std::memset(first, 0, bytes);
  std::memset(second, 0, bytes);
  over_groups(
      rows, channels,
      [&]<int count, bool whole>(std::int64_t row, std::int64_t c, std::int64_t some)
          __attribute__((always_inline)) {
            Terms t0, t1, t2, t3;
            term.template operator()<whole>(row, c, some, t0);
            if constexpr (count == 4) {
              term.template operator()<whole>(row + 1, c, some, t1);
              term.template operator()<whole>(row + 2, c, some, t2);
              term.template operator()<whole>(row + 3, c, some, t3);
              t0.first_a = (t0.first_a + t1.first_a) + (t2.first_a + t3.first_a);
              t0.first_b = (t0.first_b + t1.first_b) + (t2.first_b + t3.first_b);
              t0.second_a = (t0.second_a + t1.second_a) + (t2.second_a + t3.second_a);
              t0.second_b = (t0.second_b + t1.second_b) + (t2.second_b + t3.second_b);
            }
            const Pair f = load(first + c), s = load(second + c);
            store(first + c, Pair{f.a + t0.first_a, f.b + t0.first_b});
            store(second + c, Pair{s.a + t0.second_a, s.b + t0.second_b});
          });
}

template <class T>
YOLOV7_INLINE void moments_body(const RowBlock<T> block, float* first, float* second) {
  accumulate(
      block.rows, block.channels, first, second,
      [&]<bool whole>(std::int64_t row, std::int64_t c, std::int64_t some, Terms & t)
          __attribute__((always_inline)) {
            const Pair x = get_ahead<whole>(block.x + row * block.channels + c, some),
                       mean = load(block.mean + c);
            t.first_a = x.a - mean.a;
            t.first_b = x.b - mean.b;
            t.second_a = t.first_a * t.first_a;
            t.second_b = t.first_b * t.first_b;
          });
}

/// g and g · (x − mean) of a group of channels.
template <ActivationKind kind, class T>
YOLOV7_INLINE void gradient_terms(const RowBlock<T>& block, std::int64_t c, const Pair x,
                                  const Pair dy, Terms& t) {
  const Pair scale = load(block.scale + c), shift = load(block.shift + c),
             mean = load(block.mean + c);
  t.first_a = activation_gradient<kind>(x.a * scale.a + shift.a, dy.a, block.negative_slope);
  t.first_b = activation_gradient<kind>(x.b * scale.b + shift.b, dy.b, block.negative_slope);
  t.second_a = t.first_a * (x.a - mean.a);
  t.second_b = t.first_b * (x.b - mean.b);
}

template <class T, ActivationKind kind>
YOLOV7_INLINE void gradient_sums_body(const RowBlock<T> block, float* g_sums, float* product_sums) {
  accumulate(
      block.rows, block.channels, g_sums, product_sums,
      [&]<bool whole>(std::int64_t row, std::int64_t c, std::int64_t some, Terms & t)
          __attribute__((always_inline)) {
            const Pair x = get_ahead<whole>(block.x + row * block.channels + c, some);
            const Pair dy = get_ahead<whole>(block.dy + row * block.dy_stride + c, some);
            gradient_terms<kind>(block, c, x, dy, t);
          });
}

template <class T, ActivationKind kind>
YOLOV7_INLINE void joined_gradient_sums_body(const RowBlock<T> block, float* g_sums,
                                             float* product_sums) {
  accumulate(
      block.rows, block.channels, g_sums, product_sums,
      [&]<bool whole>(std::int64_t row, std::int64_t c, std::int64_t some,
                      Terms & t) __attribute__((always_inline)) {
        const Pair x = get_ahead<whole>(block.x + row * block.channels + c, some);
        const Pair one = get_ahead<whole>(block.dy + row * block.dy_stride + c, some);
        const Pair two = get_ahead<whole>(block.second_dy + row * block.second_dy_stride + c, some);
        T* const joined = block.joined_dy + row * block.channels + c;
        put<whole>(joined, Pair{one.a + two.a, one.b + two.b}, some);
        const Pair dy = get<whole>(static_cast<const T*>(joined),
                                   some);  // as rounded: what the last pass will read
        gradient_terms<kind>(block, c, x, dy, t);
      });
}

template <class T, ActivationKind kind>
YOLOV7_INLINE void normalise_body(const RowBlock<T> block) {
  over_groups(
      block.rows, block.channels,
      [&]<int count, bool whole>(std::int64_t row, std::int64_t c, std::int64_t some)
          __attribute__((always_inline)) {
            const Pair scale = load(block.scale + c), shift = load(block.shift + c);
#pragma GCC unroll 4
            for (std::int64_t r = row; r < row + count; ++r) {
              const Pair x = get<whole>(block.x + r * block.channels + c, some);
              put<whole>(block.y + r * block.channels + c,
                         Pair{activation<kind>(x.a * scale.a + shift.a, block.negative_slope),
                              activation<kind>(x.b * scale.b + shift.b, block.negative_slope)},
                         some);
            }
          });
}

template <class T, ActivationKind kind>
YOLOV7_INLINE void input_gradient_body(const RowBlock<T> block) {
  over_groups(
      block.rows, block.channels,
      [&]<int count, bool whole>(std::int64_t row, std::int64_t c, std::int64_t some)
          __attribute__((always_inline)) {
            const Pair scale = load(block.scale + c), shift = load(block.shift + c);
            const Pair slope = load(block.slope + c), constant = load(block.constant + c);
#pragma GCC unroll 4
            for (std::int64_t r = row; r < row + count; ++r) {
              const Pair x = get<whole>(block.x + r * block.channels + c, some);
              const Pair dy = get<whole>(block.dy + r * block.dy_stride + c, some);
              const Lanes g_a =
                  activation_gradient<kind>(x.a * scale.a + shift.a, dy.a, block.negative_slope);
              const Lanes g_b =
                  activation_gradient<kind>(x.b * scale.b + shift.b, dy.b, block.negative_slope);
              put<whole>(block.dx + r * block.channels + c,
                         Pair{g_a * scale.a + (x.a * slope.a + constant.a),
                              g_b * scale.b + (x.b * slope.b + constant.b)},
                         some);
            }
          });
}

template <class T, ActivationKind kind>
struct Functions {
  static void moments(const RowBlock<T>& b, float* first, float* second) {
    moments_body(b, first, second);
  }
  static void normalise(const RowBlock<T>& b) { normalise_body<T, kind>(b); }
  static void gradient_sums(const RowBlock<T>& b, float* g, float* products) {
    gradient_sums_body<T, kind>(b, g, products);
  }
  static void joined_gradient_sums(const RowBlock<T>& b, float* g, float* products) {
    joined_gradient_sums_body<T, kind>(b, g, products);
  }
  static void input_gradient(const RowBlock<T>& b) { input_gradient_body<T, kind>(b); }
  static RowKernels<T> table() {
    return {&Functions<T, ActivationKind::identity>::moments, &normalise, &gradient_sums,
            &joined_gradient_sums, &input_gradient};
  }
};

}  // namespace

template <class T>
RowKernels<T> row_kernels(ActivationKind activation) {
  switch (activation) {
    case ActivationKind::silu: return Functions<T, ActivationKind::silu>::table();
    case ActivationKind::relu: return Functions<T, ActivationKind::relu>::table();
    case ActivationKind::leaky_relu: return Functions<T, ActivationKind::leaky_relu>::table();
    case ActivationKind::relu6: return Functions<T, ActivationKind::relu6>::table();
    case ActivationKind::sigmoid:  // not of these kernels (supports())
    case ActivationKind::identity: break;
  }
  return Functions<T, ActivationKind::identity>::table();
}

template RowKernels<float> row_kernels(ActivationKind);
template RowKernels<BFloat16> row_kernels(ActivationKind);

}  // namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET
