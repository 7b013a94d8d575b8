#include "network/config/mobile_blocks.hpp"

#include <fmt/format.h>

#include "core/value.hpp"
#include "network/config/block_arguments.hpp"

namespace yolov7::network {
namespace {

constexpr Activation identity{ActivationKind::identity, 0}, relu6{ActivationKind::relu6, 0};
constexpr int channels_of_an_image = 3;

/// Kernel, stride and padding from argument `first` on, of a depthwise convolution.
Emitter::ConvShape depthwise(Emitter& e, const BlockCall& call, std::size_t first, int channels) {
  Emitter::ConvShape shape{channels, integer_argument(e, call, first, 3),
                           integer_argument(e, call, first + 1, 1),
                           integer_argument(e, call, first + 2, -1), channels};
  const bool automatic =
      call.arguments.size() <= first + 2 || call.arguments[first + 2].kind == Argument::Kind::none;
  if (!automatic && shape.padding < 0)
    e.fail(fmt::format("argument {}: expected a padding of 0 or more, or None, found {}", first + 3,
                       shape.padding));
  return shape;
}

/// Numbers of 0 to 255, one for each channel of an image; empty: the argument is something else.
std::vector<double> channel_numbers(const Argument& argument, bool with_zero) {
  std::vector<double> numbers;
  for (const Argument& one : argument.list) {
    const bool good = one.kind == Argument::Kind::number && one.number >= 0 && one.number <= 255;
    if (!good || (one.number == 0 && !with_zero)) return {};
    numbers.push_back(one.number);
  }
  return numbers.size() == channels_of_an_image ? numbers : std::vector<double>();
}

}  // namespace

int lower_dwconv(Emitter& e, const BlockCall& call) {
  return e.conv_block(call.inputs[0], call.prefix,
                      depthwise(e, call, 0, e.channels(call.inputs[0])),
                      activation_argument(e, call, 3));
}

int lower_mbconv(Emitter& e, const BlockCall& call) {
  const int input = call.inputs[0], width = integer_argument(e, call, 0, 0),
            expansion = integer_argument(e, call, 1, 6);
  if (expansion < 1 || expansion > 16)
    e.fail(fmt::format("argument 2: expected an expansion of 1 to 16, found {}", expansion));
  const Activation act = call.arguments.size() > 5 ? activation_argument(e, call, 5) : relu6;
  const int hidden = e.channels(input) * expansion;
  const Emitter::ConvShape window = depthwise(e, call, 2, hidden);
  int y = input;
  if (expansion > 1) y = e.conv_block(y, call.prefix + "expand.", {hidden, 1, 1}, act);
  y = e.conv_block(y, call.prefix + "depthwise.", window, act);
  y = e.conv_block(y, call.prefix + "project.", {width, 1, 1}, identity);
  return window.stride == 1 && e.channels(input) == width ? e.add({input, y}) : y;
}

int lower_normalize(Emitter& e, const BlockCall& call) {
  if (call.inputs[0] != 0) e.fail("expected the image as its input");
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    if (channel_numbers(call.arguments[i], i == 0).empty())
      e.fail(fmt::format("argument {}: expected {} numbers {} to 255, one a channel, found {}",
                         i + 1, channels_of_an_image, i == 0 ? "from 0" : "above 0",
                         describe(call.arguments[i])));
  return e.conv(0, call.prefix + "conv", {channels_of_an_image, 1, 1, 0, channels_of_an_image},
                true);
}

std::optional<ImageNormalization> image_normalization(const Layer& layer) {
  if (layer.block != "Normalize") return std::nullopt;
  const Value arguments = parse_yaml("[" + layer.arguments + "]", "Normalize");
  const auto numbers = [&](std::size_t i) {
    return channel_numbers(parse_argument(arguments.sequence.at(i)), i == 0);
  };
  const std::vector<double> mean = numbers(0), deviation = numbers(1);
  ImageNormalization result;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    result.scale.push_back(255 / deviation[c]);
    result.shift.push_back(-mean[c] / deviation[c]);
  }
  return result;
}

}  // namespace yolov7::network
