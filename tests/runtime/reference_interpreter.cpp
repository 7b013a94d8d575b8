#include "tests/runtime/reference_interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/overloaded.hpp"
#include "core/threads.hpp"
#include "tests/golden/reference.hpp"

namespace yolov7::reference {
namespace {

using network::ActivationKind;
using network::Operation;
using network::TensorSpec;

constexpr double bn_epsilon = 0.001;

std::size_t index(const Map& m, int n, int c, int y, int x) {
  return ((static_cast<std::size_t>(n) * static_cast<std::size_t>(m.c) +
           static_cast<std::size_t>(c)) *
              static_cast<std::size_t>(m.h) +
          static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(m.w) +
         static_cast<std::size_t>(x);
}
double sigmoid(double t) { return 1 / (1 + std::exp(-t)); }

/// Applies f(n, c) to every plane, in parallel.
template <class F>
void planes(const Map& m, F&& f) {
  parallel_for(static_cast<std::size_t>(m.n * m.c), usable_cores(),
               [&](std::size_t i) { f(static_cast<int>(i) / m.c, static_cast<int>(i) % m.c); });
}

Map convolution(const network::Convolution& op, const Map& x, const std::vector<double>& weight,
                const std::vector<double>* bias) {
  Map y(x.n, op.out_channels,
        (x.h + 2 * op.pad_h - op.dilation * (op.kernel_h - 1) - 1) / op.stride + 1,
        (x.w + 2 * op.pad_w - op.dilation * (op.kernel_w - 1) - 1) / op.stride + 1);
  const int in = op.in_channels / op.groups, out_per_group = op.out_channels / op.groups;
  planes(y, [&](int n, int o) {
    double* plane = &y.at(n, o, 0, 0);
    std::fill(plane, plane + y.h * y.w, bias ? (*bias)[static_cast<std::size_t>(o)] : 0.0);
    for (int i = 0; i < in; ++i)
      for (int ky = 0; ky < op.kernel_h; ++ky)
        for (int kx = 0; kx < op.kernel_w; ++kx) {
          const double k = weight[static_cast<std::size_t>(
              ((o * in + i) * op.kernel_h + ky) * op.kernel_w + kx)];
          for (int oy = 0; oy < y.h; ++oy) {
            const int iy = oy * op.stride - op.pad_h + ky * op.dilation;
            if (iy < 0 || iy >= x.h) continue;
            const int shift = kx * op.dilation - op.pad_w;
            const int first = shift >= 0 ? 0 : (-shift + op.stride - 1) / op.stride;
            const int last = std::min(y.w - 1, (x.w - 1 - shift) / op.stride);
            const double* source =
                x.values.data() + index(x, n, o / out_per_group * in + i, iy, 0) + shift;
            double* target = plane + oy * y.w;
            if (op.stride == 1)
              for (int ox = first; ox <= last; ++ox) target[ox] += k * source[ox];
            else
              for (int ox = first; ox <= last; ++ox) target[ox] += k * source[ox * op.stride];
          }
        }
  });
  return y;
}

Map max_pool(const network::MaxPool& pool, const Map& x) {
  const auto side = [&](int size) {
    return (size + 2 * pool.padding - pool.kernel) / pool.stride + 1;
  };
  Map y(x.n, x.c, side(x.h), side(x.w));
  planes(y, [&](int n, int c) {
    for (int oy = 0; oy < y.h; ++oy)
      for (int ox = 0; ox < y.w; ++ox) {
        double best = -std::numeric_limits<double>::infinity();
        const int top = oy * pool.stride - pool.padding, left = ox * pool.stride - pool.padding;
        for (int iy = std::max(0, top); iy < std::min(x.h, top + pool.kernel); ++iy)
          for (int ix = std::max(0, left); ix < std::min(x.w, left + pool.kernel); ++ix)
            best = std::max(best, x.at(n, c, iy, ix));
        y.at(n, c, oy, ox) = best;
      }
  });
  return y;
}

Map concat(const std::vector<const Map*>& parts) {
  int channels = 0;
  for (const Map* part : parts) channels += part->c;
  Map y(parts[0]->n, channels, parts[0]->h, parts[0]->w);
  int offset = 0;
  for (const Map* part : parts) {
    for (int n = 0; n < y.n; ++n)
      for (int c = 0; c < part->c; ++c)
        std::copy_n(part->values.data() + index(*part, n, c, 0, 0), part->h * part->w,
                    &y.at(n, offset + c, 0, 0));
    offset += part->c;
  }
  return y;
}

Map activation(const network::Activation& a, Map x) {
  for (double& v : x.values) {
    if (a.kind == ActivationKind::silu)
      v *= sigmoid(v);
    else if (a.kind == ActivationKind::sigmoid)
      v = sigmoid(v);
    else if (a.kind == ActivationKind::relu6)
      v = std::min(std::max(v, 0.0), 6.0);
    else if (a.kind == ActivationKind::relu)
      v = std::max(v, 0.0);
    else if (a.kind == ActivationKind::leaky_relu && v < 0)
      v *= a.slope;
  }
  return x;
}

Map reorg(const Map& x) {
  static constexpr int dy[] = {0, 1, 0, 1}, dx[] = {0, 0, 1, 1};
  Map y(x.n, 4 * x.c, x.h / 2, x.w / 2);
  planes(y, [&](int n, int c) {
    for (int oy = 0; oy < y.h; ++oy)
      for (int ox = 0; ox < y.w; ++ox)
        y.at(n, c, oy, ox) = x.at(n, c % x.c, 2 * oy + dy[c / x.c], 2 * ox + dx[c / x.c]);
  });
  return y;
}

Map upsample(const Map& x) {
  Map y(x.n, x.c, 2 * x.h, 2 * x.w);
  planes(y, [&](int n, int c) {
    for (int oy = 0; oy < y.h; ++oy)
      for (int ox = 0; ox < y.w; ++ox) y.at(n, c, oy, ox) = x.at(n, c, oy / 2, ox / 2);
  });
  return y;
}

/// One channel: the mean or the maximum over all of them.
Map over_channels(const Map& x, bool maximum) {
  Map y(x.n, 1, x.h, x.w);
  planes(y, [&](int n, int) {
    for (int oy = 0; oy < y.h; ++oy)
      for (int ox = 0; ox < y.w; ++ox) {
        double sum = 0, best = x.at(n, 0, oy, ox);
        for (int c = 0; c < x.c; ++c)
          sum += x.at(n, c, oy, ox), best = std::max(best, x.at(n, c, oy, ox));
        y.at(n, 0, oy, ox) = maximum ? best : sum / x.c;
      }
  });
  return y;
}

Map gated(Map x, const Map& gate) {
  planes(x, [&](int n, int c) {
    for (int oy = 0; oy < x.h; ++oy)
      for (int ox = 0; ox < x.w; ++ox)
        x.at(n, c, oy, ox) *= gate.at(n, gate.c == 1 ? 0 : c, oy, ox);
  });
  return x;
}

/// x + t or x · t, one number per channel.
Map per_channel(Map x, const std::vector<double>& t, bool multiply) {
  for (int n = 0; n < x.n; ++n)
    for (int c = 0; c < x.c; ++c)
      for (int i = 0; i < x.h * x.w; ++i) {
        double& v = *(&x.at(n, c, 0, 0) + i);
        v = multiply ? v * t[static_cast<std::size_t>(c)] : v + t[static_cast<std::size_t>(c)];
      }
  return x;
}

}  // namespace

Map::Map(int n_, int c_, int h_, int w_)
    : n(n_),
      c(c_),
      h(h_),
      w(w_),
      values(static_cast<std::size_t>(n_) * static_cast<std::size_t>(c_) *
             static_cast<std::size_t>(h_) * static_cast<std::size_t>(w_)) {}
double& Map::at(int in, int ic, int y, int x) { return values[index(*this, in, ic, y, x)]; }
double Map::at(int in, int ic, int y, int x) const { return values[index(*this, in, ic, y, x)]; }

const std::vector<double>& Interpreter::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw std::runtime_error("no tensor " + name);
  return found->second;
}

Map Interpreter::batch_norm(const network::BatchNorm& op, const Map& x, bool training) {
  Map y = x;
  std::vector<double>& means = tensors_.at(op.tensor + ".running_mean");
  std::vector<double>& variances = tensors_.at(op.tensor + ".running_var");
  const std::vector<double>&gamma = tensor(op.tensor + ".weight"),
        &beta = tensor(op.tensor + ".bias");
  const int plane = x.h * x.w;
  const double count = static_cast<double>(x.n) * plane;
  parallel_for(static_cast<std::size_t>(x.c), usable_cores(), [&](std::size_t c) {
    const auto each = [&](auto&& f) {
      for (int n = 0; n < x.n; ++n) {
        double* first = &y.at(n, static_cast<int>(c), 0, 0);
        for (int i = 0; i < plane; ++i) f(first[i]);
      }
    };
    double mean = means[c], variance = variances[c];
    if (training) {
      mean = variance = 0;
      each([&](double v) { mean += v; });
      mean /= count;
      each([&](double v) { variance += (v - mean) * (v - mean); });
      means[c] = mean;
      variances[c] = variance / (count - 1);
      variance /= count;
    }
    const double scale = gamma[c] / std::sqrt(variance + bn_epsilon);
    each([&](double& v) { v = (v - mean) * scale + beta[c]; });
  });
  return y;
}

Map Interpreter::compute(const Operation& op, const std::vector<Map>& values, bool training) {
  const auto in = [&](std::size_t i) -> const Map& {
    return values.at(static_cast<std::size_t>(op.inputs.at(i)));
  };
  const auto sum = [&] {
    Map y = in(0);
    for (std::size_t k = 1; k < op.inputs.size(); ++k)
      for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] += in(k).values[i];
    return y;
  };
  const auto joined = [&] {
    std::vector<const Map*> parts;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) parts.push_back(&in(i));
    return concat(parts);
  };
  return std::visit(
      Overloaded{
          [&](const network::Convolution& conv) {
            return convolution(conv, in(0), tensor(conv.tensor + ".weight"),
                               conv.bias ? &tensor(conv.tensor + ".bias") : nullptr);
          },
          [&](const network::BatchNorm& norm) { return batch_norm(norm, in(0), training); },
          [&](const network::Activate& activate) { return activation(activate.activation, in(0)); },
          [&](const network::MaxPool& pool) { return max_pool(pool, in(0)); },
          [&](const network::Upsample&) { return upsample(in(0)); },
          [&](const network::Reorg&) { return reorg(in(0)); },
          [&](const network::ImplicitAdd& add) {
            return per_channel(in(0), tensor(add.tensor + ".implicit"), false);
          },
          [&](const network::ImplicitMultiply& multiply) {
            return per_channel(in(0), tensor(multiply.tensor + ".implicit"), true);
          },
          [&](const network::ChannelMean&) { return over_channels(in(0), false); },
          [&](const network::ChannelMax&) { return over_channels(in(0), true); },
          [&](const network::Multiply&) { return gated(in(0), in(1)); },
          [&](const network::Concat&) { return joined(); },
          [&](const network::Add&) { return sum(); },
      },
      op.primitive);
}

std::vector<Map> Interpreter::run(const Map& input, bool training) {
  std::vector<Map> values(static_cast<std::size_t>(network_.value_count));
  values.at(0) = input;
  for (const Operation& op : network_.operations)
    values.at(static_cast<std::size_t>(op.output)) = compute(op, values, training);
  std::vector<Map> levels;
  for (const network::Level& level : network_.levels)
    levels.push_back(values.at(static_cast<std::size_t>(level.value)));
  return levels;
}

std::vector<double> by_cell(const Map& map, int anchors) {
  const int no = map.c / anchors;
  std::vector<double> out;
  out.reserve(map.values.size());
  for (int n = 0; n < map.n; ++n)
    for (int a = 0; a < anchors; ++a)
      for (int y = 0; y < map.h; ++y)
        for (int x = 0; x < map.w; ++x)
          for (int e = 0; e < no; ++e) out.push_back(map.at(n, a * no + e, y, x));
  return out;
}

std::vector<double> decode(const network::Network& network, const std::vector<Map>& levels) {
  std::vector<double> out;
  const int no = network.class_count + 5;
  for (int n = 0; n < levels.at(0).n; ++n)
    for (std::size_t j = 0; j < levels.size(); ++j) {
      const network::Level& level = network.levels[j];
      if (level.auxiliary) continue;
      for (std::size_t a = 0; a < level.anchors.size(); ++a)
        for (int y = 0; y < levels[j].h; ++y)
          for (int x = 0; x < levels[j].w; ++x)
            for (int e = 0; e < no; ++e) {
              const double s = sigmoid(levels[j].at(n, static_cast<int>(a) * no + e, y, x));
              if (e == 0)
                out.push_back((2 * s - 0.5 + x) * level.stride);
              else if (e == 1)
                out.push_back((2 * s - 0.5 + y) * level.stride);
              else if (e == 2)
                out.push_back(4 * s * s * level.anchors[a].w);
              else if (e == 3)
                out.push_back(4 * s * s * level.anchors[a].h);
              else
                out.push_back(s);
            }
    }
  return out;
}

Tensors formula_tensors(const network::Network& network) {
  Tensors tensors;
  for (const TensorSpec& spec : network.tensors) {
    const golden::Sequence u(spec.name);
    std::size_t count = 1;
    for (const std::int64_t side : spec.shape) count *= static_cast<std::size_t>(side);
    double offset = 0, scale = 0.1;
    switch (spec.role) {
      case TensorSpec::Role::weight:
        scale = std::sqrt(
            3.0 / static_cast<double>(spec.shape.at(1) * spec.shape.at(2) * spec.shape.at(3)));
        break;
      case TensorSpec::Role::bn_weight: offset = 1, scale = 0.2; break;
      case TensorSpec::Role::bn_mean:
      case TensorSpec::Role::bn_count: scale = 0; break;
      case TensorSpec::Role::bn_var: offset = 1, scale = 0; break;
      case TensorSpec::Role::implicit_mul: offset = 1; break;
      default: break;
    }
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = offset + scale * u.sym(i);
    tensors[spec.name] = std::move(values);
    if (spec.role != TensorSpec::Role::anchors && spec.role != TensorSpec::Role::anchor_grid)
      continue;
    std::vector<double>& anchors = tensors[spec.name];
    anchors.clear();
    for (const network::Level& level : network.levels)
      if (!level.auxiliary)
        for (const network::AnchorSize& anchor : level.anchors) {
          const double unit = spec.role == TensorSpec::Role::anchors ? level.stride : 1;
          anchors.push_back(anchor.w / unit);
          anchors.push_back(anchor.h / unit);
        }
  }
  return tensors;
}

network::Weights to_weights(const network::Network& network, const Tensors& tensors) {
  network::Weights weights;
  for (const TensorSpec& spec : network.tensors) {
    if (spec.role == TensorSpec::Role::bn_count) {
      network::Tensor count;
      count.type = network::DataType::int64;
      count.shape = spec.shape;
      count.bytes.resize(8);
      weights.set(spec.name, std::move(count));
      continue;
    }
    const std::vector<double>& values = tensors.at(spec.name);
    weights.set(spec.name, network::Tensor::from(std::vector<float>(values.begin(), values.end()),
                                                 spec.shape));
  }
  return weights;
}

Map formula_input(int batch, int size) {
  Map input(batch, 3, size, size);
  const golden::Sequence u("input");
  for (std::size_t i = 0; i < input.values.size(); ++i) input.values[i] = u.unit(i);
  return input;
}

}  // namespace yolov7::reference
