#include "kernels/convolution.hpp"

#include <optional>
#include <tuple>
#include <vector>

#include "core/instruction_set.hpp"
#include "kernels/channel_sums.hpp"
#include "kernels/first_derivative.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct ConvolutionFunction : torch::autograd::Function<ConvolutionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const ConvolutionGeometry& geometry) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast),
                     narrowed = weight.to(at::kBFloat16);
    context->save_for_backward({x, narrowed});
    context->saved_data["geometry"] =
        std::vector<std::int64_t>{geometry.kernel[0], geometry.kernel[1],  geometry.stride[0],
                                  geometry.stride[1], geometry.padding[0], geometry.padding[1]};
    context->saved_data["bias"] = bias.has_value();
    return at::conv2d(x, narrowed, bias ? bias->to(at::kBFloat16) : at::Tensor(), geometry.stride,
                      geometry.padding);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("convolution");
    const variable_list saved = context->get_saved_variables();
    const std::vector<std::int64_t> g = context->saved_data["geometry"].toIntVector();
    const ConvolutionGeometry geometry{{g[0], g[1]}, {g[2], g[3]}, {g[4], g[5]}};
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx, weight, bias;
    if (context->needs_input_grad(0)) {
      dx = std::get<0>(at::convolution_backward(dy, saved[0], saved[1], std::nullopt,
                                                geometry.stride, geometry.padding, {1, 1}, false,
                                                {0, 0}, 1, {true, false, false}));
    }
    if (context->needs_input_grad(1)) weight = weight_gradient(saved[0], dy, geometry);
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2))
      bias = channel_sums(dy);
    return {dx, weight, bias, at::Tensor()};
  }
};

}  // namespace

bool prefers_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return supports_weight_gradient(x) && !has_bfloat16_tiles() &&
         weight.scalar_type() == at::kFloat &&
         (!bias.defined() || bias.scalar_type() == at::kFloat);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const ConvolutionGeometry& geometry) {
  return ConvolutionFunction::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt,
                                    geometry);
}

}  // namespace yolov7::kernels
