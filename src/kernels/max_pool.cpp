#include "kernels/max_pool.hpp"

#include "kernels/first_derivative.hpp"
#include "kernels/pool_planes.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Row `i` of all output rows of all pictures. An odd last row or column belongs to no window.
template <class T>
HalvedRow<T> halved_row(const at::Tensor& x, const at::Tensor& y, std::int64_t i) {
  const std::int64_t height = x.size(2), line = x.size(3) * x.size(1), picture = i / y.size(2),
                     row = i % y.size(2);
  HalvedRow<T> result;
  result.x = values<T>(x) + (picture * height + 2 * row) * line;
  result.below = result.x + line;
  result.y = values<T>(y) + i * y.size(3) * x.size(1);
  result.width = x.size(3);
  result.channels = x.size(1);
  return result;
}

struct Halve : torch::autograd::Function<Halve> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    at::Tensor y =
        empty_channels_last({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options());
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const PoolKernels<T> kernels = pool_kernels<T>(best_instruction_set());
      at::parallel_for(0, y.size(0) * y.size(2), 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) kernels.halve(halved_row<T>(x, y, i));
      });
    });
    context->save_for_backward({x, y});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("max-pooling");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &y = saved[1];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx = empty_channels_last(x.sizes(), x.options());
    if (x.size(2) % 2 != 0 || x.size(3) % 2 != 0) dx.zero_();
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const PoolKernels<T> kernels = pool_kernels<T>(best_instruction_set());
      at::parallel_for(0, y.size(0) * y.size(2), 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          HalvedRow<T> row = halved_row<T>(x, y, i);
          row.dy = values<T>(dy) + (row.y - values<T>(y));
          row.dx = values<T>(dx) + (row.x - values<T>(x));
          row.dx_below = values<T>(dx) + (row.below - values<T>(x));
          kernels.halve_gradient(row);
        }
      });
    });
    return {dx};
  }
};

/// each(plane) for every group of channels of every picture, with scratch memory; offsets from the
/// tensors' beginnings are those of plane.x.
template <class T, class Each>
void over_planes(const at::Tensor& x, std::int64_t kernel, const Each& each) {
  const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3),
                     groups = padded(channels) / group;
  at::parallel_for(0, x.size(0) * groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor scratch = at::empty({plane_scratch(height, width)}, at::kFloat);
    for (std::int64_t i = begin; i < end; ++i) {
      PoolPlane<T> plane;
      plane.x = values<T>(x) + i / groups * height * width * channels + i % groups * group;
      plane.height = height;
      plane.width = width;
      plane.channels = channels;
      plane.count = std::min(group, channels - i % groups * group);
      plane.kernel = kernel;
      plane.scratch = values<float>(scratch);
      each(plane);
    }
  });
}

struct Slide : torch::autograd::Function<Slide> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, std::int64_t kernel) {
    at::Tensor y = empty_channels_last(x.sizes(), x.options());
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const PoolKernels<T> kernels = pool_kernels<T>(best_instruction_set());
      over_planes<T>(x, kernel, [&](PoolPlane<T> plane) {
        plane.y = values<T>(y) + (plane.x - values<T>(x));
        kernels.slide(plane);
      });
    });
    context->save_for_backward({x});
    context->saved_data["kernel"] = kernel;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    first_derivative_only("max-pooling");
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx = empty_channels_last(x.sizes(), x.options());
    with_value_type(x.scalar_type(), [&](auto value) {
      using T = decltype(value);
      const PoolKernels<T> kernels = pool_kernels<T>(best_instruction_set());
      over_planes<T>(x, context->saved_data["kernel"].toInt(), [&](PoolPlane<T> plane) {
        plane.dy = values<T>(dy) + (plane.x - values<T>(x));
        plane.dx = values<T>(dx) + (plane.x - values<T>(x));
        kernels.slide_gradient(plane);
      });
    });
    return {dx, at::Tensor()};
  }
};

bool is_fast(const at::Tensor& x) {
  return has_kernel_values(x) && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor max_pool(const at::Tensor& x, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding) {
  const bool halving = kernel == 2 && stride == 2 && padding == 0;
  const bool sliding = kernel % 2 == 1 && stride == 1 && padding == kernel / 2;
  if (is_fast(x) && halving && x.size(2) > 1 && x.size(3) > 1) return Halve::apply(x);
  if (is_fast(x) && sliding) return Slide::apply(x, kernel);
  return at::max_pool2d(x, kernel, stride, padding);
}

}  // namespace yolov7::kernels
