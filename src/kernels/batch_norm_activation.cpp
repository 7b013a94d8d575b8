#include "kernels/batch_norm_activation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "kernels/batch_norm_rows.hpp"
#include "kernels/first_derivative.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// μ and Σ(x − μ)² per channel: one pass per block about a provisional mean, that of the block's
/// first rows; joined by Chan's formula in double precision. The first k of n rows bound the
/// cancellation: (provisional − μ)² ≤ n σ² / k.
template <class T>
class BatchMoments {
 public:
  BatchMoments(const at::Tensor& x, const RowBlocks& blocks)
      : blocks_(blocks), width_(padded(blocks.channels)) {
    const auto size = static_cast<std::size_t>(width_ * blocks.count);
    centre_.resize(size);
    first_.resize(size);
    second_.resize(size);
    const RowKernels<T> kernels =
        row_kernels<T>(network::ActivationKind::identity, best_instruction_set());
    const std::vector<float> zeros(static_cast<std::size_t>(width_), 0.0F);
    over_blocks(blocks, [&](std::int64_t block) {
      RowBlock<T> rows;
      rows.x = values<T>(x) + blocks.first(block) * blocks.channels;
      rows.channels = blocks.channels;
      rows.rows = std::min<std::int64_t>(8, blocks.size(block));
      rows.mean = zeros.data();
      float* centre = centre_.data() + block * width_;
      float* first = first_.data() + block * width_;
      float* second = second_.data() + block * width_;
      kernels.moments(rows, centre, second);
      for (std::int64_t c = 0; c < width_; ++c) centre[c] /= static_cast<float>(rows.rows);
      rows.mean = centre;
      rows.rows = blocks.size(block);
      kernels.moments(rows, first, second);
    });
    join();
  }

  double mean(std::int64_t channel) const { return mean_[index(channel)]; }
  double squares(std::int64_t channel) const { return squares_[index(channel)]; }
  double count() const { return count_; }  ///< values per channel

  /// From here on those of x + constants, float32 [C].
  void add(const at::Tensor& constants) {
    for (std::int64_t c = 0; c < blocks_.channels; ++c)
      mean_[index(c)] += values<float>(constants)[c];
  }

  /// From here on over the values of all processes, joined in the order of the ranks.
  void join_processes(JointStatistics& joint) {
    const std::size_t width = mean_.size();
    at::Tensor own = at::empty({static_cast<std::int64_t>(2 * width + 1)}, at::kDouble);
    double* values = own.mutable_data_ptr<double>();
    std::copy(mean_.begin(), mean_.end(), values);
    std::copy(squares_.begin(), squares_.end(), values + width);
    values[2 * width] = count_;
    const at::Tensor all = joint.gather(own);
    clear();
    for (std::int64_t process = 0; process < all.size(0); ++process) {
      const double* part = all.const_data_ptr<double>() + process * all.size(1);
      add(part[2 * width], [&](std::size_t c) { return std::pair(part[c], part[width + c]); });
    }
  }

 private:
  static std::size_t index(std::int64_t channel) {
    return static_cast<std::size_t>(lane_position<T>(channel));
  }

  void clear() {
    mean_.assign(static_cast<std::size_t>(width_), 0);
    squares_.assign(static_cast<std::size_t>(width_), 0);
    count_ = 0;
  }

  /// Chan's formula: `size` further values per channel, `moments(c)` = their mean and their Σ(x −
  /// mean)².
  template <class Moments>
  void add(double size, const Moments& moments) {
    const double total = count_ + size;
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      const auto [mean, squares] = moments(c);
      const double difference = mean - mean_[c];
      mean_[c] += difference * (size / total);
      squares_[c] += squares + difference * difference * (count_ * size / total);
    }
    count_ = total;
  }

  void join() {
    clear();
    for (std::int64_t block = 0; block < blocks_.count; ++block) {
      const double size = static_cast<double>(blocks_.size(block));
      const std::size_t at = static_cast<std::size_t>(block * width_);
      add(size, [&](std::size_t c) {
        const double first = first_[at + c];
        return std::pair(centre_[at + c] + first / size,
                         std::max(0.0, second_[at + c] - first * first / size));
      });
    }
  }

  const RowBlocks blocks_;
  const std::int64_t width_;
  std::vector<float> centre_, first_, second_;
  std::vector<double> mean_, squares_;
  double count_ = 0;
};

/// What a pass needs per channel, float32, padded and in the lane order of the tensor's type: z = x
/// · scale + shift.
struct Coefficients {
  at::Tensor scale, shift, mean, inverse_deviation;
  explicit Coefficients(std::int64_t channels) {
    for (at::Tensor* t : {&scale, &shift, &mean, &inverse_deviation})
      *t = at::zeros({padded(channels)});
  }
  Coefficients(at::Tensor a, at::Tensor b, at::Tensor c, at::Tensor d)
      : scale(std::move(a)),
        shift(std::move(b)),
        mean(std::move(c)),
        inverse_deviation(std::move(d)) {}

  template <class T>
  void set(std::int64_t channel, double centre, double inverse, double weight, double bias) {
    const std::int64_t i = lane_position<T>(channel);
    values<float>(scale)[i] = static_cast<float>(weight * inverse);
    values<float>(shift)[i] = static_cast<float>(bias - centre * weight * inverse);
    values<float>(mean)[i] = static_cast<float>(centre);
    values<float>(inverse_deviation)[i] = static_cast<float>(inverse);
  }
};

/// From the batch, moving the running values towards it, or from the running values.
template <class T>
Coefficients coefficients(const at::Tensor& x, const RowBlocks& blocks, const at::Tensor& weight,
                          const at::Tensor& bias, const BatchNormActivation& norm) {
  Coefficients result(blocks.channels);
  const auto gamma = weight.accessor<float, 1>(), beta = bias.accessor<float, 1>();
  auto running_mean = norm.running_mean.accessor<float, 1>(),
       running_var = norm.running_var.accessor<float, 1>();
  const auto missing = [&](std::int64_t c) {
    return norm.missing.defined() ? values<float>(norm.missing)[c] : 0.0F;
  };
  if (!norm.batch_statistics) {
    for (std::int64_t c = 0; c < blocks.channels; ++c) {
      result.set<T>(c, running_mean[c] - missing(c), 1 / std::sqrt(running_var[c] + norm.epsilon),
                    gamma[c], beta[c]);
    }
    return result;
  }
  BatchMoments<T> moments(x, blocks);
  if (norm.missing.defined()) moments.add(norm.missing);
  if (norm.joint != nullptr) moments.join_processes(*norm.joint);
  const double count = moments.count(), keep = 1 - norm.momentum;
  require_variance(count);
  for (std::int64_t c = 0; c < blocks.channels; ++c) {
    const double mean = moments.mean(c), squares = moments.squares(c);
    result.set<T>(c, mean - missing(c), 1 / std::sqrt(squares / count + norm.epsilon), gamma[c],
                  beta[c]);
    running_mean[c] = static_cast<float>(keep * running_mean[c] + norm.momentum * mean);
    running_var[c] =
        static_cast<float>(keep * running_var[c] + norm.momentum * (squares / (count - 1)));
  }
  return result;
}

template <class T>
at::Tensor normalise(const at::Tensor& x, const RowBlocks& blocks, const Coefficients& k,
                     const network::Activation& activation) {
  at::Tensor y = empty_channels_last(x.sizes(), x.options());
  const RowKernels<T> kernels = row_kernels<T>(activation.kind, best_instruction_set());
  over_blocks(blocks, [&](std::int64_t block) {
    RowBlock<T> rows;
    const std::int64_t offset = blocks.first(block) * blocks.channels;
    rows.x = values<T>(x) + offset;
    rows.y = values<T>(y) + offset;
    rows.rows = blocks.size(block);
    rows.channels = blocks.channels;
    rows.scale = values<float>(k.scale);
    rows.shift = values<float>(k.shift);
    rows.negative_slope = static_cast<float>(activation.slope);
    kernels.normalise(rows);
  });
  return y;
}

/// The gradients of x, weight and bias.
struct Gradients {
  at::Tensor x, weight, bias;
};

template <class T>
class Backward {
 public:
  /// `second_dy` may be undefined.
  Backward(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& second_dy,
           const Coefficients& k, const network::Activation& activation)
      : x_(x),
        dy_(in_rows(dy)),
        second_dy_(in_rows(second_dy)),
        blocks_(x),
        k_(k),
        activation_(activation),
        kernels_(row_kernels<T>(activation.kind, best_instruction_set())) {}

  Gradients operator()(bool batch_statistics, JointStatistics* joint) {
    Gradients result{empty_channels_last(x_.sizes(), x_.options()), at::empty({blocks_.channels}),
                     at::empty({blocks_.channels})};
    std::vector<float> slope(static_cast<std::size_t>(padded(blocks_.channels)), 0.0F),
        constant(slope);
    sum(result, batch_statistics, joint, slope, constant);
    const bool joined = second_dy_.defined();  // then dy + second_dy stands where dx will
    over_blocks(blocks_, [&](std::int64_t block) {
      RowBlock<T> rows = block_of(block);
      rows.dx = values<T>(result.x) + blocks_.first(block) * blocks_.channels;
      if (joined) rows.dy = rows.dx;
      if (joined) rows.dy_stride = blocks_.channels;
      rows.slope = slope.data();
      rows.constant = constant.data();
      kernels_.input_gradient(rows);
    });
    return result;
  }

 private:
  RowBlock<T> block_of(std::int64_t block) const {
    RowBlock<T> rows;
    rows.x = values<T>(x_) + blocks_.first(block) * blocks_.channels;
    rows.dy_stride = row_stride(dy_);
    rows.dy = values<T>(dy_) + blocks_.first(block) * rows.dy_stride;
    rows.rows = blocks_.size(block);
    rows.channels = blocks_.channels;
    rows.scale = values<float>(k_.scale);
    rows.shift = values<float>(k_.shift);
    rows.mean = values<float>(k_.mean);
    rows.negative_slope = static_cast<float>(activation_.slope);
    return rows;
  }

  /// With g = dy · act' and s = γ/σ: dβ = Σg, dγ = Σg(x − μ)/σ, dx = s·g − s·Σg/n − (x − μ)·s·Σg(x
  /// − μ)/(n·σ²), whose last two terms exist under batch statistics only.
  void sum(Gradients& result, bool batch_statistics, JointStatistics* joint,
           std::vector<float>& slope, std::vector<float>& constant) const {
    const auto width = slope.size();
    std::vector<float> sums = floats_by_block(blocks_), products(sums.size());
    over_blocks(blocks_, [&](std::int64_t block) {
      const std::size_t at = static_cast<std::size_t>(block) * width;
      RowBlock<T> rows = block_of(block);
      if (!second_dy_.defined()) {
        kernels_.gradient_sums(rows, sums.data() + at, products.data() + at);
        return;
      }
      rows.second_dy_stride = row_stride(second_dy_);
      rows.second_dy = values<T>(second_dy_) + blocks_.first(block) * rows.second_dy_stride;
      rows.joined_dy = values<T>(result.x) + blocks_.first(block) * blocks_.channels;
      kernels_.joined_gradient_sums(rows, sums.data() + at, products.data() + at);
    });
    std::vector<double> sum = total(blocks_, sums), product = total(blocks_, products);
    for (std::int64_t c = 0; c < blocks_.channels; ++c) {
      const auto i = static_cast<std::size_t>(lane_position<T>(c));
      values<float>(result.bias)[c] = static_cast<float>(sum[i]);
      values<float>(result.weight)[c] =
          static_cast<float>(product[i] * values<float>(k_.inverse_deviation)[i]);
    }
    if (!batch_statistics) return;
    double count = static_cast<double>(blocks_.rows);
    if (joint != nullptr) join_processes(*joint, sum, product, count);
    for (std::int64_t c = 0; c < blocks_.channels; ++c) {
      const auto i = static_cast<std::size_t>(lane_position<T>(c));
      const double inverse = values<float>(k_.inverse_deviation)[i],
                   scale = values<float>(k_.scale)[i];
      const double along = -scale * inverse * inverse * product[i] / count;
      slope[i] = static_cast<float>(along);
      constant[i] = static_cast<float>(-scale * sum[i] / count - along * values<float>(k_.mean)[i]);
    }
  }

  static void join_processes(JointStatistics& joint, std::vector<double>& sum,
                             std::vector<double>& product, double& count) {
    const auto width = static_cast<std::int64_t>(sum.size());
    at::Tensor all = at::empty({2 * width + 1}, at::kDouble);
    double* values = all.mutable_data_ptr<double>();
    std::copy(sum.begin(), sum.end(), values);
    std::copy(product.begin(), product.end(), values + width);
    values[2 * width] = count;
    joint.sum(all);
    std::copy(values, values + width, sum.begin());
    std::copy(values + width, values + 2 * width, product.begin());
    count = values[2 * width];
  }

  const at::Tensor x_, dy_, second_dy_;
  const RowBlocks blocks_;
  const Coefficients k_;
  const network::Activation activation_;
  const RowKernels<T> kernels_;
};

struct BatchNormActivationFunction : torch::autograd::Function<BatchNormActivationFunction> {
  /// One output, or (`twice`) two over the same memory.
  static variable_list forward(AutogradContext* context, const at::Tensor& input,
                               const at::Tensor& weight, const at::Tensor& bias,
                               const BatchNormActivation& norm, bool twice) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const RowBlocks blocks(x);
    Coefficients k(blocks.channels);
    at::Tensor y;
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      k = coefficients<T>(x, blocks, weight, bias, norm);
      y = normalise<T>(x, blocks, k, norm.activation);
    });
    context->save_for_backward({x, k.scale, k.shift, k.mean, k.inverse_deviation});
    context->saved_data["kind"] = static_cast<std::int64_t>(norm.activation.kind);
    context->saved_data["slope"] = norm.activation.slope;
    context->saved_data["batch"] = norm.batch_statistics;
    context->saved_data["joint"] =
        static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(norm.joint));
    if (!twice) return {y};
    // Not a view in autograd's sense: each output has gradients of its own.
    return {
        y,
        at::empty({0}, y.options()).set_(y.storage(), y.storage_offset(), y.sizes(), y.strides())};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("batch-norm");
    const variable_list saved = context->get_saved_variables();
    const network::Activation activation{
        static_cast<network::ActivationKind>(context->saved_data["kind"].toInt()),
        context->saved_data["slope"].toDouble()};
    const at::Tensor& x = saved[0];
    const bool first = gradients[0].defined(),
               both = first && gradients.size() == 2 && gradients[1].defined();
    const at::Tensor dy = first ? gradients[0] : gradients[1],
                     second_dy = both ? gradients[1] : at::Tensor();
    Gradients result;
    with_value_type(x.scalar_type(), [&](auto value) {
      Backward<decltype(value)> backward(x, dy, second_dy, {saved[1], saved[2], saved[3], saved[4]},
                                         activation);
      result = backward(context->saved_data["batch"].toBool(),
                        reinterpret_cast<JointStatistics*>(
                            static_cast<std::intptr_t>(context->saved_data["joint"].toInt())));
    });
    return {result.x, result.weight, result.bias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

void require_variance(double values_per_channel) {
  if (values_per_channel < 2)
    throw Error(
        "batch-norm: expected more than one value per channel in training, found a batch of one "
        "image with a 1 × 1 map: raise the batch or the image size");
}

bool supports(const at::Tensor& x, const BatchNormActivation& norm) {
  const auto is_float = [](const at::Tensor& t) {
    return t.defined() && t.scalar_type() == at::kFloat;
  };
  return norm.activation.kind != network::ActivationKind::sigmoid && has_kernel_values(x) &&
         is_float(norm.weight) && is_float(norm.bias) && is_float(norm.running_mean) &&
         is_float(norm.running_var);
}

at::Tensor batch_norm_activation(const at::Tensor& x, const BatchNormActivation& norm) {
  return BatchNormActivationFunction::apply(x, norm.weight, norm.bias, norm, false).at(0);
}

std::array<at::Tensor, 2> batch_norm_activation_twice(const at::Tensor& x,
                                                      const BatchNormActivation& norm) {
  const variable_list outputs =
      BatchNormActivationFunction::apply(x, norm.weight, norm.bias, norm, true);
  return {outputs.at(0), outputs.at(1)};
}

}  // namespace yolov7::kernels
