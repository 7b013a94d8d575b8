#include "network/config/csp_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/config/block_arguments.hpp"

namespace yolov7::network {
namespace {

constexpr Activation silu{ActivationKind::silu, 0};

/// What a unit of a CSP stage or a block of its own is made of.
struct Unit {
  bool middle = false;  ///< three convolutions (Res) instead of two (Bottleneck)
  int groups = 1;       ///< of the 3×3
  double expansion = 0.5;
};

int hidden_width(Emitter& e, int width, double expansion) {
  const int hidden = static_cast<int>(std::floor(width * expansion));
  if (hidden < 1)
    e.fail(fmt::format("{} channels times {} leave no hidden channel", width, expansion));
  return hidden;
}

int lower_unit(Emitter& e, int input, const std::string& prefix, int width, bool shortcut,
               const Unit& unit) {
  const int hidden = hidden_width(e, width, unit.expansion);
  int y = e.conv_block(input, prefix + "cv1.", {hidden, 1, 1}, silu);
  y = e.conv_block(y, prefix + "cv2.", {unit.middle ? hidden : width, 3, 1, -1, unit.groups}, silu);
  if (unit.middle) y = e.conv_block(y, prefix + "cv3.", {width, 1, 1}, silu);
  return shortcut && e.channels(input) == width ? e.add({input, y}) : y;
}

int lower_one(Emitter& e, const BlockCall& call, bool middle) {
  const int width = integer_argument(e, call, 0, 0);
  const bool shortcut = boolean_argument(e, call, 1, true);
  return lower_unit(e, call.inputs[0], call.prefix, width, shortcut,
                    {middle, integer_argument(e, call, 2, 1), factor_argument(e, call, 3, 0.5)});
}

/// The units m.0, m.1, … in a row. In checkpoints they come after all other children of the stage:
/// the caller moves them there.
int lower_units(Emitter& e, const BlockCall& call, int input, int width, bool shortcut,
                const Unit& unit) {
  int y = input;
  for (int k = 0; k < call.repeats; ++k)
    y = lower_unit(e, y, fmt::format("{}m.{}.", call.prefix, k), width, shortcut, unit);
  return y;
}

/// A and C: half the width in both paths, C with one more convolution behind the units. B: the full
/// width, and the second path leaves after the first convolution.
int lower_stage(Emitter& e, const BlockCall& call, char kind, bool default_shortcut,
                const Unit& unit) {
  const int width = integer_argument(e, call, 0, 0), input = call.inputs[0];
  const bool shortcut = boolean_argument(e, call, 1, default_shortcut);
  const int hidden = kind == 'B' ? width : hidden_width(e, width, 0.5);
  const auto conv = [&](int from, int number, int channels) {
    return e.conv_block(from, fmt::format("{}cv{}.", call.prefix, number), {channels, 1, 1}, silu);
  };
  const int first = conv(input, 1, hidden), side = conv(kind == 'B' ? first : input, 2, hidden);
  std::vector<TensorSpec>& tensors = e.network().tensors;
  const std::size_t begin = tensors.size();
  int main = lower_units(e, call, first, hidden, shortcut, unit);
  const std::size_t end = tensors.size();
  if (kind == 'C') main = conv(main, 3, hidden);
  const int y = conv(e.concat({main, side}), kind == 'C' ? 4 : 3, width);
  const auto at = [&](std::size_t i) { return tensors.begin() + static_cast<std::ptrdiff_t>(i); };
  std::rotate(at(begin), at(end), tensors.end());
  return y;
}

constexpr Unit bottleneck{false, 1, 1.0}, res{true, 1, 0.5}, resx{true, 32, 1.0};

std::vector<int> pool_kernels(Emitter& e, const BlockCall& call) {
  if (call.arguments.size() < 2 || call.arguments[1].kind == Argument::Kind::none)
    return {5, 9, 13};
  const Argument& list = call.arguments[1];
  std::vector<int> kernels;
  for (const Argument& one : list.list) {
    if (one.kind != Argument::Kind::number || one.number != std::floor(one.number) ||
        one.number < 1 || one.number > 999 || static_cast<int>(one.number) % 2 == 0)
      e.fail("argument 2: expected odd kernels from 1 to 999, found " + describe(one));
    kernels.push_back(static_cast<int>(one.number));
  }
  if (kernels.empty() || kernels.size() > 16)
    e.fail("argument 2: expected a list of 1 to 16 kernels, found " + describe(list));
  return kernels;
}

}  // namespace

int lower_bottleneck(Emitter& e, const BlockCall& call) { return lower_one(e, call, false); }
int lower_res(Emitter& e, const BlockCall& call) { return lower_one(e, call, true); }
int lower_bottleneck_csp_a(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'A', true, bottleneck);
}
int lower_bottleneck_csp_b(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'B', false, bottleneck);
}
int lower_bottleneck_csp_c(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'C', true, bottleneck);
}
int lower_res_csp_a(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'A', true, res);
}
int lower_res_csp_b(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'B', true, res);
}
int lower_res_csp_c(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'C', true, res);
}
int lower_resx_csp_a(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'A', true, resx);
}
int lower_resx_csp_b(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'B', true, resx);
}
int lower_resx_csp_c(Emitter& e, const BlockCall& call) {
  return lower_stage(e, call, 'C', true, resx);
}

int lower_stem(Emitter& e, const BlockCall& call) {
  const int width = integer_argument(e, call, 0, 0), hidden = hidden_width(e, width, 0.5);
  const auto conv = [&](int from, int number, Emitter::ConvShape shape) {
    return e.conv_block(from, fmt::format("{}cv{}.", call.prefix, number), shape, silu);
  };
  const int x = conv(call.inputs[0], 1, {hidden, 3, 2});
  const int strided = conv(conv(x, 2, {hidden, 1, 1}), 3, {hidden, 3, 2});
  return conv(e.concat({strided, e.max_pool(x, 2, 2, 0)}), 4, {width, 1, 1});
}

int lower_spp(Emitter& e, const BlockCall& call) {
  const int width = integer_argument(e, call, 0, 0), input = call.inputs[0];
  const std::vector<int> kernels = pool_kernels(e, call);
  const int x = e.conv_block(input, call.prefix + "cv1.",
                             {hidden_width(e, e.channels(input), 0.5), 1, 1}, silu);
  std::vector<int> parts{x};
  for (const int kernel : kernels) parts.push_back(e.max_pool(x, kernel, 1, kernel / 2));
  return e.conv_block(e.concat(parts), call.prefix + "cv2.", {width, 1, 1}, silu);
}

}  // namespace yolov7::network
