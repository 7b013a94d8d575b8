#pragma once
// How an NHWC tensor is cut into blocks of rows (pixels), by its shape alone, never by the number
// of threads.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/simd.hpp"
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// Values per block. Sums inside a block are float32, sums of blocks double; a block fits in a
/// second-level cache.
inline constexpr std::int64_t block_values = 32768;

struct RowBlocks {
  std::int64_t rows, channels, rows_per_block, count;

  /// x [B, C, H, W], not empty.
  explicit RowBlocks(const at::Tensor& x)
      : rows(x.size(0) * x.size(2) * x.size(3)),
        channels(x.size(1)),
        rows_per_block(std::max<std::int64_t>(4, block_values / channels / 4 * 4)),
        count((rows + rows_per_block - 1) / rows_per_block) {}
  std::int64_t first(std::int64_t block) const { return block * rows_per_block; }
  std::int64_t size(std::int64_t block) const {
    return std::min(rows_per_block, rows - first(block));
  }
  /// Floats of an array per channel in lane order.
  std::int64_t width() const { return padded(channels); }
};

/// What the kernels take: on the CPU, [B, C, H, W], not empty, float32 or bfloat16.
inline bool has_kernel_values(const at::Tensor& x) {
  return x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

/// The distance between pixels where `tensor`'s values lie as rows of channels (channels_last, or a
/// range of channels of such a tensor); 0 otherwise.
inline std::int64_t row_stride(const at::Tensor& tensor) {
  const std::int64_t batch = tensor.size(0), channels = tensor.size(1), height = tensor.size(2),
                     width = tensor.size(3);
  if (channels > 1 && tensor.stride(1) != 1) return 0;
  const std::int64_t stride = width > 1    ? tensor.stride(3)
                              : height > 1 ? tensor.stride(2)
                              : batch > 1  ? tensor.stride(0)
                                           : channels;
  if (stride < channels || (height > 1 && tensor.stride(2) != width * stride)) return 0;
  if (batch > 1 && tensor.stride(0) != height * width * stride) return 0;
  return stride;
}

/// `tensor`, copied where its values do not lie as rows of channels. May be undefined.
inline at::Tensor in_rows(const at::Tensor& tensor) {
  return !tensor.defined() || row_stride(tensor) != 0
             ? tensor
             : tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

/// each(block) for all blocks, in parallel.
template <class Each>
void over_blocks(const RowBlocks& blocks, const Each& each) {
  at::parallel_for(0, blocks.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) each(i);
  });
}

/// Sums of all blocks in order, from one array of blocks.width() floats per block.
inline std::vector<double> total(const RowBlocks& blocks, const std::vector<float>& by_block) {
  const auto width = static_cast<std::size_t>(blocks.width());
  std::vector<double> sums(width);
  for (std::size_t at = 0; at < by_block.size(); at += width)
    for (std::size_t c = 0; c < width; ++c) sums[c] += by_block[at + c];
  return sums;
}

/// One float per channel and block.
inline std::vector<float> floats_by_block(const RowBlocks& blocks) {
  return std::vector<float>(static_cast<std::size_t>(blocks.width() * blocks.count));
}

template <class T>
T* values(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

/// Values per channel in the lane order of T → float32 [C].
template <class T>
at::Tensor channel_values(const RowBlocks& blocks, const std::vector<double>& in_lane_order) {
  at::Tensor result = at::empty({blocks.channels}, at::kFloat);
  for (std::int64_t c = 0; c < blocks.channels; ++c)
    values<float>(result)[c] =
        static_cast<float>(in_lane_order[static_cast<std::size_t>(lane_position<T>(c))]);
  return result;
}

/// use(float{}) or use(BFloat16{}).
template <class Use>
void with_value_type(at::ScalarType type, const Use& use) {
  if (type == at::kBFloat16)
    use(BFloat16{});
  else
    use(float{});
}

inline at::Tensor empty_channels_last(at::IntArrayRef sizes, const at::TensorOptions& options) {
  return at::empty(sizes, options.memory_format(at::MemoryFormat::ChannelsLast));
}

}  // namespace yolov7::kernels
