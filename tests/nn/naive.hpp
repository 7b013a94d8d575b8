#pragma once
// A network::Network executed by plain loops over doubles: slow, obvious, independent of LibTorch.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/overloaded.hpp"
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

inline Map conv(const Map& in, const network::Convolution& op, const network::Weights& weights) {
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

inline Map batch_norm(const Map& in, const network::BatchNorm& op, const network::Weights& weights,
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
    case network::ActivationKind::relu6: return std::min(std::max(v, 0.0), 6.0);
    case network::ActivationKind::sigmoid: return 1 / (1 + std::exp(-v));
    case network::ActivationKind::identity: break;
  }
  return v;
}

inline Map max_pool(const Map& in, const network::MaxPool& pool) {
  const auto side = [&](int size) {
    return (size + 2 * pool.padding - pool.kernel) / pool.stride + 1;
  };
  return Map::make(in.b, in.c, side(in.h), side(in.w), [&](int n, int k, int y, int x) {
    double best = -std::numeric_limits<double>::infinity();
    const int top = y * pool.stride - pool.padding, left = x * pool.stride - pool.padding;
    for (int sy = top; sy < top + pool.kernel; ++sy)
      for (int sx = left; sx < left + pool.kernel; ++sx)
        if (sy >= 0 && sy < in.h && sx >= 0 && sx < in.w)
          best = std::max(best, in.at(n, k, sy, sx));
    return best;
  });
}

inline Map concat(const std::vector<const Map*>& parts) {
  int channels = 0;
  for (const Map* part : parts) channels += part->c;
  const Map& first = *parts.front();
  return Map::make(first.b, channels, first.h, first.w, [&](int n, int k, int y, int x) {
    for (const Map* part : parts) {
      if (k < part->c) return part->at(n, k, y, x);
      k -= part->c;
    }
    return 0.0;
  });
}

inline Map execute(const network::Operation& op, const std::vector<Map>& maps,
                   const network::Weights& weights, bool training) {
  std::vector<const Map*> all;
  for (const int input : op.inputs) all.push_back(&maps[static_cast<std::size_t>(input)]);
  const Map& in = *all.front();
  const auto same = [&](auto value) { return Map::make(in.b, in.c, in.h, in.w, value); };
  const auto vector = [&](const std::string& tensor) {
    return [v = weights.at(tensor + ".implicit").to_doubles()](int k) {
      return v[static_cast<std::size_t>(k)];
    };
  };
  const auto over_channels = [&](bool largest) {
    return Map::make(in.b, 1, in.h, in.w, [&](int n, int, int y, int x) {
      double sum = 0, most = in.at(n, 0, y, x);
      for (int k = 0; k < in.c; ++k)
        sum += in.at(n, k, y, x), most = std::max(most, in.at(n, k, y, x));
      return largest ? most : sum / in.c;
    });
  };
  return std::visit(
      Overloaded{
          [&](const network::Convolution& c) { return conv(in, c, weights); },
          [&](const network::BatchNorm& norm) { return batch_norm(in, norm, weights, training); },
          [&](const network::Activate& a) {
            return same([&](int n, int k, int y, int x) {
              return activate(in.at(n, k, y, x), a.activation);
            });
          },
          [&](const network::Add&) {
            return same([&](int n, int k, int y, int x) {
              double sum = 0;
              for (const Map* one : all) sum += one->at(n, k, y, x);
              return sum;
            });
          },
          [&](const network::Multiply&) {
            return same([&](int n, int k, int y, int x) {
              return in.at(n, k, y, x) * all[1]->at(n, all[1]->c == 1 ? 0 : k, y, x);
            });
          },
          [&](const network::ImplicitAdd& add) {
            return same([&, own = vector(add.tensor)](int n, int k, int y, int x) {
              return in.at(n, k, y, x) + own(k);
            });
          },
          [&](const network::ImplicitMultiply& multiply) {
            return same([&, own = vector(multiply.tensor)](int n, int k, int y, int x) {
              return in.at(n, k, y, x) * own(k);
            });
          },
          [&](const network::MaxPool& pool) { return max_pool(in, pool); },
          [&](const network::Upsample&) {
            return Map::make(in.b, in.c, in.h * 2, in.w * 2,
                             [&](int n, int k, int y, int x) { return in.at(n, k, y / 2, x / 2); });
          },
          [&](const network::Reorg&) {  // architecture 1.4: (dy, dx) = (0,0), (1,0), (0,1), (1,1)
            return Map::make(in.b, in.c * 4, in.h / 2, in.w / 2, [&](int n, int k, int y, int x) {
              return in.at(n, k % in.c, 2 * y + k / in.c % 2, 2 * x + k / in.c / 2);
            });
          },
          [&](const network::Concat&) { return concat(all); },
          [&](const network::ChannelMean&) { return over_channels(false); },
          [&](const network::ChannelMax&) { return over_channels(true); },
      },
      op.primitive);
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
