#pragma once
// Lowers config entries to primitive operations. One visible table of blocks: a new block is one
// function and one line.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/config/argument.hpp"
#include "network/config/build_limits.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::network {

/// Collects operations, tensors and values of a network under construction.
class Emitter {
 public:
  Emitter(Network& network, const BuildLimits& limits);

  /// Channels as the configuration's blocks say them. They decide what a block consists of (whether
  /// a RepConv has an identity branch), also where `widths` gives its convolutions fewer.
  int channels(int value) const { return nominal_[static_cast<std::size_t>(value)]; }
  /// Channels that the value really has.
  int width(int value) const { return network_.value_channels[static_cast<std::size_t>(value)]; }
  double reduction(int value) const {
    return network_.value_reduction[static_cast<std::size_t>(value)];
  }

  struct ConvShape {
    int out_channels = 0, kernel = 1, stride = 1, padding = -1,
        groups = 1;    ///< padding −1 = kernel / 2
    int kernel_w = 0;  ///< 0 = square; else `kernel` is the height
  };
  int conv(int input, const std::string& tensor, const ConvShape& shape, bool bias,
           RepBranch branch = RepBranch::none);
  int batch_norm(int input, const std::string& prefix, RepBranch branch = RepBranch::none);
  int activation(int input, const Activation& activation);
  /// `prefix`conv, `prefix`bn, activation: the Conv block.
  int conv_block(int input, const std::string& prefix, const ConvShape& shape,
                 const Activation& activation);
  int max_pool(int input, int kernel, int stride, int padding);
  int concat(const std::vector<int>& inputs);
  /// `merged`: see primitives.hpp.
  int add(const std::vector<int>& inputs, const std::string& merged = "");
  int upsample(int input);
  int reorg(int input);
  int implicit_add(int input, const std::string& tensor);
  int implicit_mul(int input, const std::string& tensor);
  int channel_mean(int input);        ///< [B, 1, H, W]
  int channel_max(int input);         ///< [B, 1, H, W]
  int multiply(int input, int gate);  ///< element by element; a gate of one channel goes for all
  void tensor(std::string name, TensorSpec::Role role, std::vector<std::int64_t> shape);
  /// Announces tensors of an implicit vector or convolution that an operation names later
  /// (checkpoint order differs from execution order in the heads).
  int head_conv(int input, const std::string& tensor, int out_channels);

  Network& network() { return network_; }
  /// Output channels of convolutions by tensor name, instead of those of their blocks (pruning).
  void set_widths(std::map<std::string, int> widths) { widths_ = std::move(widths); }
  /// A name of set_widths() that no convolution has so far; "" = none.
  std::string unused_width() const;
  int layer = 0;             ///< index of the entry at hand
  std::string place, block;  ///< for messages

  [[noreturn]] void fail(const std::string& reason) const;

 private:
  int value(int channels, int nominal, double reduction);
  /// Appends an operation; returns its output value. `nominal`: channels as blocks say them.
  int operation(Primitive primitive, std::vector<int> inputs, int channels, int nominal,
                double reduction);
  /// One whose output has the channels of its first input.
  int like_input(Primitive primitive, std::vector<int> inputs, double reduction);
  void check_window(int kernel, int stride, int padding) const;
  Network& network_;
  const BuildLimits& limits_;
  std::int64_t parameters_ = 0;
  std::vector<int> nominal_;  ///< by value
  std::map<std::string, int> widths_;
  std::set<std::string> used_widths_;
};

/// What a block's function gets: its inputs as values, its arguments after nc, anchors and
/// multiples are applied.
struct BlockCall {
  std::vector<int> inputs;
  std::vector<Argument> arguments;
  std::string prefix;  ///< "model.12."
  int repeats = 1;     ///< for blocks that take the repeat count inside
};

struct BlockKind {
  std::string_view name;
  int least_arguments, most_arguments;
  int inputs;          ///< how many it reads; 0 = one or more
  bool has_width;      ///< first argument is an output width that width_multiple scales
  bool takes_repeats;  ///< the repeat count goes into the block instead of copying it
  int (*lower)(Emitter&, const BlockCall&);  ///< returns the output value; heads return −1
};
const std::vector<BlockKind>& block_kinds();
const BlockKind* find_block(std::string_view name);

}  // namespace yolov7::network
