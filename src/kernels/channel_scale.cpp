#include "kernels/channel_scale.hpp"

#include "kernels/channel_scale_rows.hpp"
#include "kernels/first_derivative.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// factor as a padded array in the lane order of T.
template <class T>
std::vector<float> in_lane_order(const at::Tensor& factor, const RowBlocks& blocks) {
  const at::Tensor flat = factor.contiguous();
  std::vector<float> result(static_cast<std::size_t>(blocks.width()), 0.0F);
  for (std::int64_t c = 0; c < blocks.channels; ++c)
    result[static_cast<std::size_t>(lane_position<T>(c))] = values<float>(flat)[c];
  return result;
}

template <class T>
ScaledRows<T> rows_of(const at::Tensor& x, const RowBlocks& blocks, std::int64_t block,
                      const std::vector<float>& factor) {
  ScaledRows<T> rows;
  rows.x = values<T>(x) + blocks.first(block) * blocks.channels;
  rows.rows = blocks.size(block);
  rows.channels = blocks.channels;
  rows.factor = factor.data();
  return rows;
}

struct ScaleChannels : torch::autograd::Function<ScaleChannels> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& factor) {
    const RowBlocks blocks(x);
    at::Tensor y = empty_channels_last(x.sizes(), x.options().dtype(at::kFloat));
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const ScaleKernels<T> kernels = scale_kernels<T>(best_instruction_set());
      const std::vector<float> factors = in_lane_order<T>(factor, blocks);
      over_blocks(blocks, [&](std::int64_t block) {
        ScaledRows<T> rows = rows_of<T>(x, blocks, block, factors);
        rows.y = values<float>(y) + blocks.first(block) * blocks.channels;
        kernels.scale(rows);
      });
    });
    context->save_for_backward({x, factor});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("implicit multiplication");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &factor = saved[1];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const RowBlocks blocks(x);
    at::Tensor dx = empty_channels_last(x.sizes(), x.options()), d_factor;
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const ScaleKernels<T> kernels = scale_kernels<T>(best_instruction_set());
      const std::vector<float> factors = in_lane_order<T>(factor, blocks);
      std::vector<float> sums = floats_by_block(blocks);
      over_blocks(blocks, [&](std::int64_t block) {
        ScaledRows<T> rows = rows_of<T>(x, blocks, block, factors);
        rows.dy = values<float>(dy) + blocks.first(block) * blocks.channels;
        rows.dx = values<T>(dx) + blocks.first(block) * blocks.channels;
        kernels.gradient(rows, sums.data() + block * blocks.width());
      });
      d_factor = channel_values<T>(blocks, total(blocks, sums));
    });
    return {dx, d_factor.view(factor.sizes())};
  }
};

}  // namespace

at::Tensor scale_channels(const at::Tensor& x, const at::Tensor& factor) {
  const bool fast = has_kernel_values(x) && factor.scalar_type() == at::kFloat &&
                    factor.numel() == x.size(1) && x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return fast ? ScaleChannels::apply(x, factor) : x * factor;
}

}  // namespace yolov7::kernels
