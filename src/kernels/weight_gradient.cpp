#include "kernels/weight_gradient.hpp"

#include <algorithm>
#include <cstring>

#include "core/instruction_set.hpp"
#include "kernels/pair_products.hpp"
#include "kernels/row_blocks.hpp"

namespace yolov7::kernels {
namespace {

constexpr std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// How the work is cut, by the shape alone. A task computes the weights of `range` output channels
/// from a share of all chunks; a chunk is some rows of one picture, or several whole pictures,
/// whose pairs fit in a second-level cache.
struct Plan {
  std::int64_t batch, height, width, out_height, out_width, outputs;
  std::int64_t kernel_rows, kernel_columns, stride_rows, stride_columns, pad_rows, pad_columns;
  std::int64_t pixel;                    ///< elements of an input pixel
  std::int64_t channels, lanes, blocks;  ///< input values of a kernel column, in blocks of `lanes`
  std::int64_t versions, pairs,
      x_pairs;  ///< pairs per row; an input row is held once per version, each shifted by a pixel
  std::int64_t range, parts, shares;  ///< output channels per task; tasks = parts · shares
  std::int64_t rows, pictures, chunks_per_picture, chunks;

  Plan(const at::Tensor& x, const at::Tensor& dy, const ConvolutionGeometry& g)
      : batch(x.size(0)),
        height(x.size(2)),
        width(x.size(3)),
        out_height(dy.size(2)),
        out_width(dy.size(3)),
        outputs(dy.size(1)),
        kernel_rows(g.kernel[0]),
        kernel_columns(g.kernel[1]),
        stride_rows(g.stride[0]),
        stride_columns(g.stride[1]),
        pad_rows(g.padding[0]),
        pad_columns(g.padding[1]),
        pixel(x.size(1)),
        channels(x.size(1)) {
    join_rows();
    if (kernel_columns * channels <=
        16) {  // a picture's three colours: the columns of the kernel lie beside each other
      channels *= kernel_columns;
      kernel_columns = 1;
    }
    lanes = channels <= 16 ? 16 : 32;
    blocks = divided_up(channels, lanes);
    versions = stride_columns == 1 ? std::min<std::int64_t>(kernel_columns, 2) : kernel_columns;
    pairs = divided_up(out_width, 2);
    x_pairs = stride_columns == 1 ? pairs + (kernel_columns - 1) / 2 : pairs;
    cut();
  }

  std::int64_t padded_outputs() const { return divided_up(outputs, 32) * 32; }
  std::int64_t version_words() const { return x_pairs * lanes; }
  std::int64_t row_words() const {
    return versions * version_words();
  }  ///< of one block of channels of an input row
  std::int64_t input_rows(std::int64_t count) const {
    return (count - 1) * stride_rows + kernel_rows;
  }
  std::int64_t block_words() const { return pictures * input_rows(rows) * row_words(); }
  std::int64_t x_words() const { return blocks * block_words(); }
  std::int64_t dy_words() const { return pictures * rows * pairs * range; }
  std::int64_t weights_per_output() const { return kernel_rows * kernel_columns * blocks * lanes; }

 private:
  /// A 1 × 1 kernel has no neighbours, so rows may follow each other: short rows are slow.
  void join_rows() {
    if (kernel_rows * kernel_columns * stride_rows * stride_columns != 1 ||
        pad_rows + pad_columns != 0)
      return;
    constexpr std::int64_t longest = 256;
    std::int64_t factor = 1;
    for (std::int64_t f = 2; f <= height && f * width <= longest; ++f)
      if (height % f == 0) factor = f;
    height /= factor;
    out_height /= factor;
    width *= factor;
    out_width *= factor;
  }

  void cut() {
    constexpr std::int64_t large = 80 * 1024, tasks = 16, cache_words = 128 * 1024;
    range = padded_outputs() * weights_per_output() <= large ? padded_outputs() : 64;
    parts = divided_up(padded_outputs(), range);
    const std::int64_t x_row = blocks * row_words(), dy_row = pairs * range;
    rows = (cache_words - (kernel_rows - stride_rows) * x_row) / (stride_rows * x_row + dy_row);
    rows = std::clamp<std::int64_t>(rows, 1, out_height);
    chunks_per_picture = divided_up(out_height, rows);
    rows = divided_up(out_height, chunks_per_picture);
    chunks_per_picture = divided_up(out_height, rows);
    pictures = 1;
    if (chunks_per_picture == 1)
      pictures = std::clamp<std::int64_t>(cache_words / (input_rows(rows) * x_row + rows * dy_row),
                                          1, batch);
    chunks = chunks_per_picture == 1 ? divided_up(batch, pictures) : batch * chunks_per_picture;
    shares = std::min(divided_up(tasks, parts), chunks);
  }
};

class Task {
 public:
  Task(const Plan& plan, const at::Tensor& x, const at::Tensor& dy, float* sums)
      : plan_(plan),
        loops_(pair_loops(plan.lanes)),
        wide_(pair_loops(32)),
        x_(static_cast<const std::uint16_t*>(x.const_data_ptr())),
        dy_(static_cast<const std::uint16_t*>(dy.const_data_ptr())),
        sums_(sums),
        memory_(at::empty({plan.x_words() + plan.dy_words()}, at::kInt)),
        x_pairs_(static_cast<std::uint32_t*>(memory_.mutable_data_ptr())),
        dy_pairs_(x_pairs_ + plan.x_words()) {}

  void run(std::int64_t index) {
    const std::int64_t share = index / plan_.parts;
    first_output_ = index % plan_.parts * plan_.range;
    outputs_ = std::min(plan_.range, plan_.outputs - first_output_);
    out_ = sums_ + (share * plan_.padded_outputs() + first_output_) * plan_.weights_per_output();
    std::memset(out_, 0,
                sizeof(float) * static_cast<std::size_t>(outputs_ * plan_.weights_per_output()));
    for (std::int64_t chunk = share * plan_.chunks / plan_.shares;
         chunk < (share + 1) * plan_.chunks / plan_.shares; ++chunk) {
      place(chunk);
      gather_outputs();
      gather_inputs();
      multiply();
    }
  }

 private:
  void place(std::int64_t chunk) {
    const bool whole = plan_.chunks_per_picture == 1;
    picture_ = whole ? chunk * plan_.pictures : chunk / plan_.chunks_per_picture;
    pictures_ = whole ? std::min(plan_.pictures, plan_.batch - picture_) : 1;
    row_ = whole ? 0 : chunk % plan_.chunks_per_picture * plan_.rows;
    rows_ = std::min(plan_.rows, plan_.out_height - row_);
  }

  void gather_outputs() {
    PairRow r;
    r.elements = plan_.out_width * plan_.outputs - first_output_;
    r.pixel = plan_.outputs;
    r.pairs = plan_.pairs;
    r.channels = outputs_;
    r.pair_stride = plan_.range;
    r.block_stride = 32;
    for (std::int64_t picture = 0; picture < pictures_; ++picture)
      for (std::int64_t row = 0; row < rows_; ++row) {
        r.row = dy_ +
                ((picture_ + picture) * plan_.out_height + row_ + row) * plan_.out_width *
                    plan_.outputs +
                first_output_;
        r.to = dy_pairs_ + (picture * rows_ + row) * plan_.pairs * plan_.range;
        wide_.gather(r);
      }
  }

  void gather_inputs() {
    PairRow r;
    r.elements = plan_.width * plan_.pixel;
    r.pixel = plan_.pixel;
    r.step = plan_.stride_columns;
    r.pairs = plan_.x_pairs;
    r.channels = plan_.channels;
    r.pair_stride = plan_.lanes;
    r.block_stride = plan_.block_words();
    const std::int64_t count = plan_.input_rows(rows_);
    for (std::int64_t picture = 0; picture < pictures_; ++picture)
      for (std::int64_t row = 0; row < count; ++row) {
        const std::int64_t y = row_ * plan_.stride_rows - plan_.pad_rows + row;
        const bool outside = y < 0 || y >= plan_.height;
        r.row = outside
                    ? x_
                    : x_ + ((picture_ + picture) * plan_.height + y) * plan_.width * plan_.pixel;
        r.elements = outside ? 0 : plan_.width * plan_.pixel;
        for (std::int64_t version = 0; version < plan_.versions; ++version) {
          r.first = version - plan_.pad_columns;
          r.to = x_pairs_ + (picture * count + row) * plan_.row_words() +
                 version * plan_.version_words();
          loops_.gather(r);
        }
      }
  }

  void multiply() {
    PairProduct p;
    p.segments = pictures_;
    p.rows = rows_;
    p.pairs = plan_.pairs;
    p.a_pair = plan_.range;
    p.a_row = plan_.pairs * plan_.range;
    p.a_segment = rows_ * p.a_row;
    p.b_row = plan_.stride_rows * plan_.row_words();
    p.b_segment = plan_.input_rows(rows_) * plan_.row_words();
    p.c_stride = plan_.weights_per_output();
    const std::int64_t at_once = product_rows(plan_.lanes);
    for (std::int64_t block = 0; block < plan_.blocks; ++block)
      for (std::int64_t ky = 0; ky < plan_.kernel_rows; ++ky)
        for (std::int64_t kx = 0; kx < plan_.kernel_columns; ++kx) {
          const bool unit = plan_.stride_columns == 1;  // then two columns on is a pair on
          p.b = x_pairs_ + block * plan_.block_words() + ky * plan_.row_words() +
                (unit ? kx % 2 : kx) * plan_.version_words() + (unit ? kx / 2 * plan_.lanes : 0);
          float* const c =
              out_ + ((ky * plan_.kernel_columns + kx) * plan_.blocks + block) * plan_.lanes;
          for (std::int64_t output = 0; output < outputs_; output += at_once) {
            p.a = dy_pairs_ + output;
            p.count = std::min(at_once, outputs_ - output);
            p.c = c + output * p.c_stride;
            loops_.multiply(p);
          }
        }
  }

  const Plan& plan_;
  const PairLoops loops_, wide_;
  const std::uint16_t *x_, *dy_;
  float* const sums_;
  const at::Tensor memory_;
  std::uint32_t *const x_pairs_, *const dy_pairs_;
  std::int64_t first_output_ = 0, outputs_ = 0, picture_ = 0, pictures_ = 0, row_ = 0, rows_ = 0;
  float* out_ = nullptr;
};

/// Joins the shares and leaves the padding of the blocks out.
void join(const Plan& plan, const float* sums, float* to) {
  const std::int64_t size = plan.weights_per_output(), stride = plan.padded_outputs() * size,
                     padded = plan.blocks * plan.lanes;
  at::parallel_for(0, plan.outputs, 8, [&](std::int64_t begin, std::int64_t end) {
    if (padded == plan.channels)
      return add_parts(sums + begin * size, plan.shares, stride, to + begin * size,
                       (end - begin) * size);
    for (std::int64_t column = begin * size / padded; column < end * size / padded; ++column)
      add_parts(sums + column * padded, plan.shares, stride, to + column * plan.channels,
                plan.channels);
  });
}

}  // namespace

bool supports_weight_gradient(const at::Tensor& x) {
  return has_bfloat16_products() && has_kernel_values(x) && x.scalar_type() == at::kBFloat16;
}

at::Tensor weight_gradient(const at::Tensor& x_in, const at::Tensor& dy_in,
                           const ConvolutionGeometry& geometry) {
  const at::Tensor x = x_in.contiguous(at::MemoryFormat::ChannelsLast),
                   dy = dy_in.contiguous(at::MemoryFormat::ChannelsLast);
  const Plan plan(x, dy, geometry);
  const at::Tensor sums =
      at::empty({plan.shares * plan.padded_outputs() * plan.weights_per_output()}, at::kFloat);
  at::parallel_for(0, plan.parts * plan.shares, 1, [&](std::int64_t begin, std::int64_t end) {
    Task task(plan, x, dy, sums.mutable_data_ptr<float>());
    for (std::int64_t i = begin; i < end; ++i) task.run(i);
  });
  // A 1 × 1 kernel lies the same way in both formats, but the plain one's strides are those that
  // such parameters have.
  const auto format = geometry.kernel[0] * geometry.kernel[1] == 1 ? at::MemoryFormat::Contiguous
                                                                   : at::MemoryFormat::ChannelsLast;
  at::Tensor result = at::empty({plan.outputs, x.size(1), geometry.kernel[0], geometry.kernel[1]},
                                at::TensorOptions(at::kFloat).memory_format(format));
  join(plan, sums.const_data_ptr<float>(), result.mutable_data_ptr<float>());
  return result;
}

}  // namespace yolov7::kernels
