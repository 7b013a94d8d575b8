#include "kernels/joint_batch_norm.hpp"

#include "kernels/first_derivative.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// float64 stays, everything else is computed in float32.
at::Tensor widened(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}
at::Tensor by_channel(const at::Tensor& values, const at::Tensor& x) {
  return values.to(x.scalar_type()).view({1, -1, 1, 1});
}

struct Moments {
  at::Tensor mean, squares;  ///< float64 [C]; squares = Σ(x − μ)²
  double count = 0;
};

/// Chan's formula over the processes, in the order of the ranks.
Moments joint_moments(const at::Tensor& x, JointStatistics& joint) {
  const at::Tensor own_mean = x.mean({0, 2, 3});
  const at::Tensor own_squares = (x - by_channel(own_mean, x)).square().sum({0, 2, 3});
  const std::int64_t channels = x.size(1);
  const at::Tensor count = at::full({1}, static_cast<double>(x.numel() / channels),
                                    x.options().dtype(at::kDouble).requires_grad(false));
  const at::Tensor all =
      joint.gather(at::cat({own_mean.to(at::kDouble), own_squares.to(at::kDouble), count}));
  Moments result{at::zeros_like(all[0].slice(0, 0, channels)),
                 at::zeros_like(all[0].slice(0, 0, channels)), 0};
  for (std::int64_t process = 0; process < all.size(0); ++process) {
    const at::Tensor mean = all[process].slice(0, 0, channels),
                     squares = all[process].slice(0, channels, 2 * channels);
    const double size = all[process][2 * channels].item<double>(), total = result.count + size;
    const at::Tensor difference = mean - result.mean;
    result.mean = result.mean + difference * (size / total);
    result.squares = result.squares + squares + difference.square() * (result.count * size / total);
    result.count = total;
  }
  return result;
}

struct JointBatchNorm : torch::autograd::Function<JointBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const BatchNormActivation& norm) {
    const at::Tensor x = widened(input);
    const Moments moments = joint_moments(x, *norm.joint);
    require_variance(moments.count);
    const at::Tensor inverse = (moments.squares / moments.count + norm.epsilon).rsqrt();
    at::Tensor running_mean = norm.running_mean, running_var = norm.running_var;
    running_mean.mul_(1 - norm.momentum)
        .add_(moments.mean.to(running_mean.scalar_type()), norm.momentum);
    running_var.mul_(1 - norm.momentum)
        .add_((moments.squares / (moments.count - 1)).to(running_var.scalar_type()), norm.momentum);
    const at::Tensor scale = inverse * weight.to(at::kDouble);
    const at::Tensor y =
        x * by_channel(scale, x) + by_channel(bias.to(at::kDouble) - moments.mean * scale, x);
    context->save_for_backward({input, weight, moments.mean, inverse});
    context->saved_data["joint"] =
        static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(norm.joint));
    context->saved_data["count"] = moments.count;
    return y.to(input.scalar_type());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("batch-norm");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor x = widened(saved[0]), dy = widened(gradients[0]), &weight = saved[1],
                     &mean = saved[2], &inverse = saved[3];
    auto& joint = *reinterpret_cast<JointStatistics*>(
        static_cast<std::intptr_t>(context->saved_data["joint"].toInt()));
    const double count = context->saved_data["count"].toDouble();
    const at::Tensor centred = x - by_channel(mean, x);
    const at::Tensor own = at::stack(
        {dy.sum({0, 2, 3}).to(at::kDouble), (dy * centred).sum({0, 2, 3}).to(at::kDouble)});
    at::Tensor all = own.clone();
    joint.sum(all);
    const at::Tensor dx = (dy - by_channel(all[0] / count, x) -
                           centred * by_channel(all[1] * inverse.square() / count, x)) *
                          by_channel(inverse * weight.to(at::kDouble), x);
    return {dx.to(saved[0].scalar_type()), (own[1] * inverse).to(weight.scalar_type()),
            own[0].to(weight.scalar_type()), at::Tensor()};
  }
};

}  // namespace

at::Tensor joint_batch_norm(const at::Tensor& x, const BatchNormActivation& norm) {
  return JointBatchNorm::apply(x, norm.weight, norm.bias, norm);
}

}  // namespace yolov7::kernels
