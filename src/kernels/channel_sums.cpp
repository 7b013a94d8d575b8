#include "kernels/channel_sums.hpp"

#include "kernels/batch_norm_rows.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {

at::Tensor channel_sums(const at::Tensor& x) {
  const RowBlocks blocks(x);
  std::vector<float> first = floats_by_block(blocks), second(first.size());
  const std::vector<float> zeros(static_cast<std::size_t>(blocks.width()), 0.0F);
  at::Tensor sums;
  with_value_type(x.scalar_type(), [&](auto value) {
    using T = decltype(value);
    const RowKernels<T> kernels =
        row_kernels<T>(network::ActivationKind::identity, best_instruction_set());
    over_blocks(blocks, [&](std::int64_t block) {
      RowBlock<T> rows;
      rows.x = values<T>(x) + blocks.first(block) * blocks.channels;
      rows.rows = blocks.size(block);
      rows.channels = blocks.channels;
      rows.mean = zeros.data();
      const auto at = static_cast<std::size_t>(block * blocks.width());
      kernels.moments(rows, first.data() + at, second.data() + at);
    });
    sums = channel_values<T>(blocks, total(blocks, first));
  });
  return sums;
}

}  // namespace yolov7::kernels
