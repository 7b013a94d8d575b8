#include "training/pass_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/overloaded.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/links.hpp"

namespace yolov7::training {
namespace {

using network::Operation;

/// A pass, operation by operation. A buffer is a value's tensor; an activation behind a batch-norm
/// shares the norm's.
class Pass {
 public:
  Pass(const network::Network& network, int height, int width, int value_bytes,
       std::span<const int> frozen)
      : network_(network), links_(network), frozen_(frozen.begin(), frozen.end()) {
    const auto sizes = network::value_sizes(network, height, width);
    const auto count = sizes.size();
    for (std::size_t v = 0; v < count; ++v) {
      buffer_.push_back(v);
      bytes_.push_back(double{1} * sizes[v].channels * sizes[v].height * sizes[v].width *
                       value_bytes);
    }
    bytes_[0] = 4.0 * 3 * height * width;
    for (const network::Level& level : network.levels) {
      const auto v = static_cast<std::size_t>(level.value);
      bytes_[v] = bytes_[v] / value_bytes * 4;
    }
    savers_.assign(count, 0);
    readers_.assign(count, 0);
    trains_.assign(count, 0);
    gradient_.assign(count, 0);
    for (const Operation& op : network.operations) plan(op);
    readers_[0] += 1;  // the caller holds the picture
    for (const network::Level& level : network.levels) ++readers_[at(level.value)];
  }

  double peak() {
    grow(bytes_[0]);
    for (const Operation& op : network_.operations) forward(op);
    for (const network::Level& level : network_.levels) begin_backward(at(level.value));
    for (auto op = network_.operations.rbegin(); op != network_.operations.rend(); ++op)
      backward(*op);
    return peak_;
  }

 private:
  std::size_t at(int value) const { return buffer_[static_cast<std::size_t>(value)]; }

  bool own_weights_train(const Operation& op) const {
    const bool has_weights = op.is<network::Convolution>() || op.is<network::BatchNorm>() ||
                             op.is<network::ImplicitAdd>() || op.is<network::ImplicitMultiply>();
    return has_weights && std::find(frozen_.begin(), frozen_.end(), op.layer) == frozen_.end();
  }

  bool shares_buffer(const Operation& op) const {
    const Operation* before = links_.producer(op.inputs[0]);
    return op.is<network::Activate>() && before != nullptr && before->is<network::BatchNorm>();
  }

  /// Buffers that the backward pass of an operation reads.
  std::vector<std::size_t> saved(const Operation& op) const {
    const std::size_t in = at(op.inputs[0]), out = at(op.output);
    if (trains_[out] == 0) return {};
    using Buffers = std::vector<std::size_t>;
    return std::visit(
        Overloaded{
            [&](const OneOf<network::Convolution, network::ImplicitMultiply> auto&) {
              return own_weights_train(op) ? Buffers{in} : Buffers{};
            },
            [&](const network::BatchNorm&) { return Buffers{in}; },
            [&](const network::Activate&) { return shares_buffer(op) ? Buffers{} : Buffers{out}; },
            [&](const network::MaxPool& pool) {
              return pool.stride == 2 ? Buffers{in, out} : Buffers{in};
            },
            [&](const network::ChannelMax&) {
              return Buffers{in, out};
            },
            [&](const network::Multiply&) {
              return Buffers{in, at(op.inputs.at(1))};
            },
            [](const OneOf<network::Concat, network::Add, network::Upsample, network::Reorg,
                           network::ImplicitAdd, network::ChannelMean> auto&) { return Buffers{}; },
        },
        op.primitive);
  }

  void plan(const Operation& op) {
    if (shares_buffer(op)) buffer_[static_cast<std::size_t>(op.output)] = at(op.inputs[0]);
    char& trains = trains_[at(op.output)];
    for (const int input : op.inputs) {
      if (!shares_buffer(op)) ++readers_[at(input)];
      if (trains_[at(input)] != 0) trains = 1;
    }
    if (own_weights_train(op)) trains = 1;
    for (const std::size_t buffer : saved(op)) ++savers_[buffer];
  }

  void forward(const Operation& op) {
    if (shares_buffer(op)) return;
    grow(bytes_[at(op.output)]);
    for (const int input : op.inputs) {
      const std::size_t buffer = at(input);
      if (--readers_[buffer] == 0 && savers_[buffer] == 0) alive_ -= bytes_[buffer];
    }
  }

  /// The loss has read a map; its gradient is the sum of two.
  void begin_backward(std::size_t map) {
    if (trains_[map] == 0) return;
    gradient_[map] = 1;
    grow(bytes_[map]);
    peak_ = std::max(peak_, alive_ + bytes_[map]);
  }

  void backward(const Operation& op) {
    const std::size_t out = at(op.output);
    if (shares_buffer(op) || gradient_[out] == 0) return;
    const bool passes_on =
        op.is<network::Concat>() || op.is<network::Add>();  // views of what it got
    if (passes_on) drop_gradient(out);
    for (const int input : op.inputs) give(at(input));
    if (!passes_on) drop_gradient(out);
    for (const std::size_t buffer : saved(op))
      if (--savers_[buffer] == 0 && readers_[buffer] == 0) alive_ -= bytes_[buffer];
  }

  /// A gradient for a buffer: its first, or one that is added to it.
  void give(std::size_t buffer) {
    if (trains_[buffer] == 0) return;
    if (gradient_[buffer] == 0) {
      gradient_[buffer] = 1;
      grow(bytes_[buffer]);
    } else {
      peak_ = std::max(peak_, alive_ + bytes_[buffer]);
    }
  }

  void drop_gradient(std::size_t buffer) {
    gradient_[buffer] = 0;
    alive_ -= bytes_[buffer];
  }

  void grow(double bytes) {
    alive_ += bytes;
    peak_ = std::max(peak_, alive_);
  }

  const network::Network& network_;
  const network::Links links_;
  const std::vector<int> frozen_;
  std::vector<std::size_t> buffer_;      ///< by value
  std::vector<double> bytes_;            ///< by buffer, as all below
  std::vector<int> savers_, readers_;    ///< operations that still need it, backward and forward
  std::vector<char> trains_, gradient_;  ///< has a gradient; has it now
  double alive_ = 0, peak_ = 0;
};

}  // namespace

double pass_bytes(const network::Network& network, int height, int width, int value_bytes,
                  std::span<const int> frozen) {
  return Pass(network, height, width, value_bytes, frozen).peak();
}

}  // namespace yolov7::training
