#include "kernels/fake_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/fake_quantizer_rows.hpp"
#include "kernels/first_derivative.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool has_loops(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0 &&
         x.is_non_overlapping_and_dense();
}

/// each(block, first value, count), in parallel.
template <class Each>
void over_values(std::int64_t values, const Each& each) {
  const std::int64_t blocks = (values + block_values - 1) / block_values;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      each(i, i * block_values, std::min(block_values, values - i * block_values));
  });
}

QuantizedRow row_of(const at::Tensor& x, std::int64_t first, std::int64_t count, float scale,
                    NumberRange range) {
  QuantizedRow row;
  row.x = x.const_data_ptr<float>() + first;
  row.count = count;
  row.scale = scale;
  row.low = static_cast<float>(-range.zero_point);
  row.high = static_cast<float>(range.most - range.zero_point);
  return row;
}

at::Tensor quantized(const at::Tensor& x, float scale, NumberRange range) {
  if (!has_loops(x))
    return x.div(static_cast<double>(scale))
        .round_()
        .clamp_(-range.zero_point, range.most - range.zero_point)
        .mul_(static_cast<double>(scale));
  at::Tensor y = at::empty_like(x);
  float* const to = y.mutable_data_ptr<float>();
  const FakeQuantizerKernels kernels = fake_quantizer_kernels(best_instruction_set());
  over_values(x.numel(), [&](std::int64_t, std::int64_t first, std::int64_t count) {
    QuantizedRow row = row_of(x, first, count, scale, range);
    row.y = to + first;
    kernels.quantize(row);
  });
  return y;
}

struct Gradients {
  at::Tensor dx;
  double scale = 0;
};

Gradients gradients(const at::Tensor& x, const at::Tensor& gradient, float scale,
                    NumberRange range) {
  Gradients result;
  if (!has_loops(x) || gradient.scalar_type() != at::kFloat) {
    const at::Tensor v = x.div(static_cast<double>(scale)),
                     inside = v.clamp(-range.zero_point, range.most - range.zero_point),
                     between = v == inside;
    result.dx = gradient * between;
    result.scale =
        (gradient * at::where(between, v.round() - v, inside)).sum(at::kDouble).item<double>();
    return result;
  }
  at::Tensor dy = gradient;
  if (dy.strides() != x.strides()) dy = at::empty_like(x).copy_(gradient);
  result.dx = at::empty_like(x);
  float* const to = result.dx.mutable_data_ptr<float>();
  std::vector<float> sums(static_cast<std::size_t>((x.numel() + block_values - 1) / block_values));
  const FakeQuantizerKernels kernels = fake_quantizer_kernels(best_instruction_set());
  over_values(x.numel(), [&](std::int64_t block, std::int64_t first, std::int64_t count) {
    QuantizedRow row = row_of(x, first, count, scale, range);
    row.dy = dy.const_data_ptr<float>() + first;
    row.dx = to + first;
    sums[static_cast<std::size_t>(block)] = kernels.gradient(row);
  });
  for (const float sum : sums) result.scale += static_cast<double>(sum);
  return result;
}

struct FakeQuantize : torch::autograd::Function<FakeQuantize> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& log_scale, std::int64_t zero_point, std::int64_t most,
                            double share) {
    const float scale = scale_of(log_scale);
    const NumberRange range{static_cast<int>(zero_point), static_cast<int>(most)};
    context->save_for_backward({x});
    context->saved_data["scale"] = static_cast<double>(scale);
    context->saved_data["zero_point"] = zero_point;
    context->saved_data["most"] = most;
    context->saved_data["share"] = share;
    context->saved_data["device"] = log_scale.device();
    context->saved_data["learns"] = log_scale.requires_grad();
    return quantized(x, scale, range);
  }

  static variable_list backward(AutogradContext* context, variable_list given) {
    first_derivative_only("fake quantization");
    const at::Tensor x = context->get_saved_variables()[0];
    auto& saved = context->saved_data;
    const double scale = saved["scale"].toDouble();
    const Gradients found = gradients(
        x, given[0], static_cast<float>(scale),
        {static_cast<int>(saved["zero_point"].toInt()), static_cast<int>(saved["most"].toInt())});
    at::Tensor d_log;
    if (saved["learns"].toBool())
      d_log = at::full({1}, found.scale * scale * saved["share"].toDouble(),
                       at::dtype(at::kFloat).device(saved["device"].toDevice()));
    return {found.dx, d_log, {}, {}, {}};
  }
};

struct FakeQuantizeWeight : torch::autograd::Function<FakeQuantizeWeight> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& weight, bool per_tensor) {
    constexpr int most = 127;
    const at::Tensor magnitudes = weight.abs();
    at::Tensor scale = per_tensor ? magnitudes.max().reshape({1, 1, 1, 1})
                                  : magnitudes.amax(at::IntArrayRef({1, 2, 3}), /*keepdim=*/true);
    scale = at::where(scale > 0, scale / most, at::ones_like(scale));
    return weight.div(scale).round_().clamp_(-most, most).mul_(scale);
  }
  static variable_list backward(AutogradContext*, variable_list given) {
    first_derivative_only("fake quantization");
    return {given[0], {}};
  }
};

}  // namespace

float scale_of(const at::Tensor& log_scale) { return std::exp(log_scale.item<float>()); }

at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& log_scale, NumberRange range,
                         double share) {
  return FakeQuantize::apply(x, log_scale, std::int64_t{range.zero_point}, std::int64_t{range.most},
                             share);
}

at::Tensor quantized_by(const at::Tensor& x, float scale, NumberRange range) {
  at::NoGradGuard no_gradient;
  return quantized(x, scale, range);
}

at::Tensor fake_quantize_weight(const at::Tensor& weight, bool per_tensor) {
  return FakeQuantizeWeight::apply(weight, per_tensor);
}

}  // namespace yolov7::kernels
