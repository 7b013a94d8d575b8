#pragma once
// A network::Network executed by plain loops over doubles: slow, obvious, independent of LibTorch.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::nn::naive {

struct Map {
  int b = 0, c = 0, h = 0, w = 0;
  std::vector<double> values;
  Map() = default;
  Map(int b_, int c_, int h_, int w_, double fill = 0)
      : b(b_),
        c(c_),
        h(h_),
        w(w_),
        values(static_cast<std::size_t>(b_) * static_cast<std::size_t>(c_ * h_ * w_), fill) {}
  std::size_t index(int n, int k, int y, int x) const {
    return static_cast<std::size_t>(((n * c + k) * h + y) * w + x);
  }
  double at(int n, int k, int y, int x) const { return values[index(n, k, y, x)]; }
  double& at(int n, int k, int y, int x) { return values[index(n, k, y, x)]; }
  template <class F>
  static Map make(int b, int c, int h, int w, F value) {
    Map map(b, c, h, w);
    for (int n = 0; n < b; ++n)
      for (int k = 0; k < c; ++k)
        for (int y = 0; y < h; ++y)
          for (int x = 0; x < w; ++x) map.at(n, k, y, x) = value(n, k, y, x);
    return map;
  }
};

inline Map conv(const Map& in, const network::Operation& op, const network::Weights& weights) {
  const auto w = weights.at(op.tensor + ".weight").to_doubles();
  const auto bias = op.bias ? weights.at(op.tensor + ".bias").to_doubles()
                            : std::vector<double>(static_cast<std::size_t>(op.out_channels), 0.0);
  const int per_group = op.in_channels / op.groups;
  return Map::make(
      in.b, op.out_channels, (in.h + 2 * op.pad_h - op.kernel_h) / op.stride + 1,
      (in.w + 2 * op.pad_w - op.kernel_w) / op.stride + 1, [&](int n, int o, int y, int x) {
        double sum = bias[static_cast<std::size_t>(o)];
        const int first = o / (op.out_channels / op.groups) * per_group;
        for (int i = 0; i < per_group; ++i)
          for (int dy = 0; dy < op.kernel_h; ++dy)
            for (int dx = 0; dx < op.kernel_w; ++dx) {
              const int sy = y * op.stride + dy - op.pad_h, sx = x * op.stride + dx - op.pad_w;
              if (sy < 0 || sy >= in.h || sx < 0 || sx >= in.w) continue;
              sum += in.at(n, first + i, sy, sx) *
                     w[static_cast<std::size_t>(
                         ((o * per_group + i) * op.kernel_h + dy) * op.kernel_w + dx)];
            }
        return sum;
      });
}

inline Map batch_norm(const Map& in, const network::Operation& op, const network::Weights& weights,
                      bool training) {
  const auto get = [&](const char* name) { return weights.at(op.tensor + name).to_doubles(); };
  const auto gamma = get(".weight"), beta = get(".bias");
  auto mean = get(".running_mean"), variance = get(".running_var");
  for (int k = 0; training && k < in.c; ++k) {
    double sum = 0, squares = 0;
    const double count = static_cast<double>(in.b) * in.h * in.w;
    for (int n = 0; n < in.b; ++n)
      for (int i = 0; i < in.h * in.w; ++i) sum += in.at(n, k, i / in.w, i % in.w);
    for (int n = 0; n < in.b; ++n)
      for (int i = 0; i < in.h * in.w; ++i)
        squares += std::pow(in.at(n, k, i / in.w, i % in.w) - sum / count, 2);
    mean[static_cast<std::size_t>(k)] = sum / count;
    variance[static_cast<std::size_t>(k)] = squares / count;
  }
  return Map::make(in.b, in.c, in.h, in.w, [&](int n, int k, int y, int x) {
    const auto i = static_cast<std::size_t>(k);
    return (in.at(n, k, y, x) - mean[i]) / std::sqrt(variance[i] + 0.001) * gamma[i] + beta[i];
  });
}

inline double activate(double v, const network::Activation& activation) {
  switch (activation.kind) {
    case network::ActivationKind::silu: return v / (1 + std::exp(-v));
    case network::ActivationKind::relu: return std::max(v, 0.0);
    case network::ActivationKind::leaky_relu: return v > 0 ? v : v * activation.slope;
    case network::ActivationKind::identity: break;
  }
  return v;
}

inline Map execute(const network::Operation& op, const std::vector<Map>& maps,
                   const network::Weights& weights, bool training) {
  using Kind = network::Operation::Kind;
  const Map& in = maps[static_cast<std::size_t>(op.inputs.front())];
  const auto same = [&](auto value) { return Map::make(in.b, in.c, in.h, in.w, value); };
  switch (op.kind) {
    case Kind::conv: return conv(in, op, weights);
    case Kind::batch_norm: return batch_norm(in, op, weights, training);
    case Kind::activation:
      return same(
          [&](int n, int k, int y, int x) { return activate(in.at(n, k, y, x), op.activation); });
    case Kind::add:
      return same([&](int n, int k, int y, int x) {
        double sum = 0;
        for (const int input : op.inputs)
          sum += maps[static_cast<std::size_t>(input)].at(n, k, y, x);
        return sum;
      });
    case Kind::implicit_add:
    case Kind::implicit_mul: {
      const auto v = weights.at(op.tensor + ".implicit").to_doubles();
      return same([&](int n, int k, int y, int x) {
        const double own = v[static_cast<std::size_t>(k)];
        return op.kind == Kind::implicit_add ? in.at(n, k, y, x) + own : in.at(n, k, y, x) * own;
      });
    }
    case Kind::max_pool:
      return Map::make(in.b, in.c, (in.h + 2 * op.pad_h - op.kernel_h) / op.stride + 1,
                       (in.w + 2 * op.pad_w - op.kernel_w) / op.stride + 1,
                       [&](int n, int k, int y, int x) {
                         double best = -std::numeric_limits<double>::infinity();
                         for (int sy = y * op.stride - op.pad_h;
                              sy < y * op.stride - op.pad_h + op.kernel_h; ++sy)
                           for (int sx = x * op.stride - op.pad_w;
                                sx < x * op.stride - op.pad_w + op.kernel_w; ++sx)
                             if (sy >= 0 && sy < in.h && sx >= 0 && sx < in.w)
                               best = std::max(best, in.at(n, k, sy, sx));
                         return best;
                       });
    case Kind::upsample:
      return Map::make(in.b, in.c, in.h * 2, in.w * 2,
                       [&](int n, int k, int y, int x) { return in.at(n, k, y / 2, x / 2); });
    case Kind::reorg:  // architecture 1.4: (dy, dx) = (0,0), (1,0), (0,1), (1,1)
      return Map::make(in.b, in.c * 4, in.h / 2, in.w / 2, [&](int n, int k, int y, int x) {
        return in.at(n, k % in.c, 2 * y + k / in.c % 2, 2 * x + k / in.c / 2);
      });
    case Kind::concat: break;
  }
  Map out(in.b, 0, in.h, in.w);
  for (const int input : op.inputs) out.c += maps[static_cast<std::size_t>(input)].c;
  return Map::make(out.b, out.c, out.h, out.w, [&](int n, int k, int y, int x) {
    for (const int input : op.inputs) {
      const Map& part = maps[static_cast<std::size_t>(input)];
      if (k < part.c) return part.at(n, k, y, x);
      k -= part.c;
    }
    return 0.0;
  });
}

/// The values of all levels [B, na·no, H, W].
inline std::vector<Map> run(const network::Network& net, const network::Weights& weights,
                            const Map& images, bool training) {
  std::vector<Map> maps(static_cast<std::size_t>(net.value_count));
  maps[0] = images;
  for (const auto& op : net.operations)
    maps[static_cast<std::size_t>(op.output)] = execute(op, maps, weights, training);
  std::vector<Map> levels;
  for (const auto& level : net.levels)
    levels.push_back(maps[static_cast<std::size_t>(level.value)]);
  return levels;
}

}  // namespace yolov7::nn::naive
