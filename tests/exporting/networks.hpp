#pragma once
// Hand-made networks that between them hold every primitive, and what the reference interpreter
// makes of them.
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporting/export_model.hpp"
#include "tests/runtime/hand_network.hpp"
#include "tests/runtime/reference_interpreter.hpp"

namespace yolov7::testing {

/// Numbers in −1 … 1 that look like noise: the same on every machine.
inline std::vector<float> noise(std::size_t count, std::uint32_t seed, float scale = 1) {
  std::vector<float> values;
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(scale * (static_cast<float>(state >> 8) / 8388608.0F - 1));
  }
  return values;
}
/// The same in 0 … 1.
inline std::vector<float> unit_noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values = noise(count, seed);
  for (float& v : values) v = (v + 1) / 2;
  return values;
}

inline int noisy_conv(HandNetwork& net, int input, int in, int out, std::uint32_t seed,
                      int kernel = 1, int stride = 1, int groups = 1) {
  const auto weights = static_cast<std::size_t>(out * in / groups * kernel * kernel);
  return net.conv(input, in, out, noise(weights, seed, 1.5F / static_cast<float>(kernel)),
                  noise(static_cast<std::size_t>(out), seed + 1000), kernel, stride, groups);
}

struct NamedNetwork {
  std::string name;
  network::NetworkAndWeights model;
};

inline NamedNetwork named(std::string name, const HandNetwork& net) {
  return {std::move(name), {net.network(), net.weights()}};
}

inline int norm(HandNetwork& net, int input, int channels, std::uint32_t seed) {
  const auto count = static_cast<std::size_t>(channels);
  std::vector<float> variance = unit_noise(count, seed + 3);
  for (float& v : variance) v += 0.5F;
  return net.per_channel<network::BatchNorm>(input, channels,
                                             {{".weight", noise(count, seed)},
                                              {".bias", noise(count, seed + 1)},
                                              {".running_mean", noise(count, seed + 2)},
                                              {".running_var", variance}});
}

/// One network a primitive (convolutions and pools of several shapes, each activation); six
/// channels in the only level: one anchor, one class.
inline std::vector<NamedNetwork> one_primitive_each() {
  using network::ActivationKind;
  std::vector<NamedNetwork> all;
  const auto level_of = [&](const char* name, HandNetwork& net, int value, double stride = 1) {
    net.level(value, stride, 1);
    all.push_back(named(name, net));
  };
  const auto simple = [&](const char* name, auto make, double stride = 1) {
    HandNetwork net;
    const int six = noisy_conv(net, 0, 3, 6, 1);
    level_of(name, net, make(net, six), stride);
  };
  simple(
      "convolution_3x3_stride_2",
      [](HandNetwork& net, int in) { return noisy_conv(net, in, 6, 6, 2, 3, 2); }, 2);
  simple("convolution_grouped",
         [](HandNetwork& net, int in) { return noisy_conv(net, in, 6, 6, 3, 3, 1, 2); });
  simple("convolution_depthwise",
         [](HandNetwork& net, int in) { return noisy_conv(net, in, 6, 6, 4, 3, 1, 6); });
  simple("convolution_depth_multiplier", [](HandNetwork& net, int in) {
    return noisy_conv(net, noisy_conv(net, in, 6, 12, 5, 3, 1, 6), 12, 6, 6);
  });
  simple("batch_norm", [](HandNetwork& net, int in) { return norm(net, in, 6, 7); });
  const std::pair<const char*, ActivationKind> kinds[] = {
      {"identity", ActivationKind::identity}, {"silu", ActivationKind::silu},
      {"relu", ActivationKind::relu},         {"leaky_relu", ActivationKind::leaky_relu},
      {"relu6", ActivationKind::relu6},       {"sigmoid", ActivationKind::sigmoid}};
  for (const auto& [name, kind] : kinds)
    simple(name, [kind = kind](HandNetwork& net, int in) {
      // Five times as large, so that ReLU6 meets its upper end.
      const int large = net.add(network::Add{}, {in, in, in, in, in});
      return net.activation(kind, large, kind == ActivationKind::leaky_relu ? 0.1 : 0);
    });
  for (const network::MaxPool pool : {network::MaxPool{5, 1, 2}, network::MaxPool{3, 1, 1}})
    simple(pool.kernel == 5 ? "max_pool_5" : "max_pool_3", [pool](HandNetwork& net, int in) {
      // Everything negative: a padding of 0 would win at the border.
      const int below =
          net.per_channel<network::ImplicitAdd>(in, 6, {{".implicit", std::vector<float>(6, -20)}});
      return net.add(pool, {below});
    });
  simple(
      "max_pool_halves",
      [](HandNetwork& net, int in) {
        return net.add(network::MaxPool{2, 2, 0}, {in});
      },
      2);
  simple("concat", [](HandNetwork& net, int in) {
    const int wide = net.add(network::Concat{}, {in, 0, in});
    return noisy_conv(net, wide, 15, 6, 8);
  });
  simple("add", [](HandNetwork& net, int in) {
    return net.add(network::Add{}, {in, noisy_conv(net, in, 6, 6, 9), in});
  });
  simple("multiply", [](HandNetwork& net, int in) {
    return net.add(network::Multiply{}, {in, noisy_conv(net, in, 6, 6, 10)});
  });
  simple("multiply_by_one_channel", [](HandNetwork& net, int in) {
    return net.add(network::Multiply{}, {in, noisy_conv(net, in, 6, 1, 11)});
  });
  simple(
      "upsample", [](HandNetwork& net, int in) { return net.add(network::Upsample{}, {in}); }, 0.5);
  simple(
      "reorg",
      [](HandNetwork& net, int in) {
        return noisy_conv(net, net.add(network::Reorg{}, {in}), 24, 6, 12);
      },
      2);
  simple("implicit_add", [](HandNetwork& net, int in) {
    return net.per_channel<network::ImplicitAdd>(in, 6, {{".implicit", noise(6, 13)}});
  });
  simple("implicit_multiply", [](HandNetwork& net, int in) {
    return net.per_channel<network::ImplicitMultiply>(in, 6, {{".implicit", noise(6, 14)}});
  });
  simple("channel_mean_and_max", [](HandNetwork& net, int in) {
    const int mean = net.add(network::ChannelMean{}, {in}),
              max = net.add(network::ChannelMax{}, {in});
    return noisy_conv(net, net.add(network::Concat{}, {mean, max, in}), 8, 6, 15);
  });
  return all;
}

/// Shapes that no usual network has, in the form of one_primitive_each().
inline std::vector<NamedNetwork> padded_and_dilated() {
  std::vector<NamedNetwork> all;
  HandNetwork pool;
  // Everything negative: a padding of 0 would win at the border.
  const int six = noisy_conv(pool, 0, 3, 6, 1);
  const int below =
      pool.per_channel<network::ImplicitAdd>(six, 6, {{".implicit", std::vector<float>(6, -20)}});
  pool.level(pool.add(network::MaxPool{3, 2, 1}, {below}), 2, 1);
  all.push_back(named("max_pool_3_stride_2", pool));
  for (const int groups : {1, 2, 6}) {
    HandNetwork net;
    net.level(noisy_conv(net, noisy_conv(net, 0, 3, 6, 1), 6, 6, 2, 3, 1, groups), 1, 1);
    all.push_back(named("dilation_2_groups_" + std::to_string(groups), net));
    auto& conv = std::get<network::Convolution>(all.back().model.network.operations[1].primitive);
    conv.dilation = conv.pad_h = conv.pad_w = 2;
  }
  return all;
}

/// Inverted residuals with a depthwise convolution, ReLU6 and a linear end, behind a convolution
/// of each channel of the image: values `stride` 2 and 4, kernels of 4 and 6 that are padded by 1
/// and 2. Returns the two values, of 6 and 8 channels.
inline std::pair<int, int> inverted_residuals(HandNetwork& net, std::uint32_t seed) {
  using network::ActivationKind;
  const auto conv = [&](int input, int in, int out, int kernel, int stride, int groups,
                        int padding) {
    ++seed;
    const auto weights = static_cast<std::size_t>(out * in / groups * kernel * kernel);
    return net.padded_conv(input, in, out, noise(weights, seed, 3.0F / static_cast<float>(kernel)),
                           noise(static_cast<std::size_t>(out), seed + 1000), kernel, stride,
                           groups, padding);
  };
  const auto clipped = [&](int value) { return net.activation(ActivationKind::relu6, value); };
  const int image = conv(0, 3, 3, 1, 1, 3, 0);
  const int stem = clipped(conv(image, 3, 6, 4, 2, 1, 1));
  const int wide = clipped(conv(stem, 6, 12, 1, 1, 1, 0));
  const int deep = clipped(conv(wide, 12, 12, 3, 1, 12, 1));
  const int sum = net.add(network::Add{}, {stem, conv(deep, 12, 6, 1, 1, 1, 0)});
  const int next = clipped(conv(clipped(conv(sum, 6, 12, 1, 1, 1, 0)), 12, 12, 6, 2, 12, 2));
  return {sum, conv(next, 12, 8, 1, 1, 1, 0)};
}

/// The same with a level of six channels, in the form of one_primitive_each().
inline NamedNetwork inverted_residual() {
  HandNetwork net;
  const int value = inverted_residuals(net, 200).second;
  net.level(noisy_conv(net, value, 8, 6, 230), 4, 1);
  return named("inverted_residual", net);
}

/// A detector of `class_count` classes that uses every primitive: two levels of strides 4 and 8,
/// two anchors each.
inline network::NetworkAndWeights every_primitive(int class_count, std::uint32_t seed = 100) {
  using network::ActivationKind;
  HandNetwork net;
  const int outputs = 2 * (5 + class_count);
  int x = net.add(network::Reorg{}, {0});  // stride 2, 12 channels
  x = net.activation(ActivationKind::silu, noisy_conv(net, x, 12, 8, seed, 3));
  x = net.activation(ActivationKind::leaky_relu, noisy_conv(net, x, 8, 8, seed + 1, 3, 2), 0.1);
  const int fine = net.add(network::Add{}, {x, noisy_conv(net, x, 8, 8, seed + 2, 3, 1, 4)});
  int deep = net.add(network::MaxPool{2, 2, 0}, {norm(net, fine, 8, seed + 3)});
  deep = net.add(network::Concat{}, {deep, net.add(network::MaxPool{5, 1, 2}, {deep})});
  deep = net.activation(ActivationKind::relu6, noisy_conv(net, deep, 16, 8, seed + 4));
  deep = net.per_channel<network::ImplicitAdd>(deep, 8, {{".implicit", noise(8, seed + 5)}});
  const int gate = net.add(network::Concat{}, {net.add(network::ChannelMean{}, {deep}),
                                               net.add(network::ChannelMax{}, {deep})});
  const int attention =
      net.activation(ActivationKind::sigmoid, noisy_conv(net, gate, 2, 1, seed + 6, 3));
  deep = net.add(network::Multiply{}, {deep, attention});
  const int up = net.activation(ActivationKind::relu, net.add(network::Upsample{}, {deep}));
  const int joined = net.add(network::Concat{}, {up, fine});
  const auto head = [&](int value, int channels, std::uint32_t number) {
    const int raw = noisy_conv(net, value, channels, outputs, seed + number);
    const auto count = static_cast<std::size_t>(outputs);
    return net.per_channel<network::ImplicitMultiply>(
        raw, outputs, {{".implicit", std::vector<float>(count, 0.8F)}});
  };
  net.level(head(joined, 16, 7), 4, class_count, {{10, 13}, {16, 9}});
  net.level(head(deep, 8, 8), 8, class_count, {{24, 30}, {33, 18}});
  return {net.network(), net.weights()};
}

/// A network whose second convolution has 24,000² weights, 2.3 GB, that are not there.
inline network::NetworkAndWeights beyond_two_gigabytes() {
  HandNetwork net;
  const int many = 24000;
  const int wide = net.conv(0, 3, many, std::vector<float>(3 * many, 0), {});
  net.level(
      net.conv(net.conv(wide, many, many, {}, {}), many, 6, std::vector<float>(6 * many, 0), {}), 1,
      1);
  return {net.network(), net.weights()};
}

/// What emitters get, of a network that is taken as it is.
inline exporting::ExportModel export_model(const network::NetworkAndWeights& net, int height,
                                           int width, const exporting::ExportOptions& options) {
  exporting::ExportModel model;
  model.fused = std::make_shared<const network::NetworkAndWeights>(net);
  model.program = network::lower_detector(net.network, height, width, false);
  model.batch = options.batch_size, model.height = height, model.width = width;
  model.dynamic_size = options.dynamic;
  model.dynamic_batch = options.dynamic || options.dynamic_batch;
  model.form = exporting::output_form(options);
  model.description = "hand-made";
  model.date = "2026-01-02T03:04:05";
  for (int i = 0; i < net.network.class_count; ++i)
    model.names.push_back("name " + std::to_string(i));
  return model;
}

struct ReferenceOutputs {
  std::vector<std::vector<double>> raw;  ///< [B, na, H, W, no] a level
  std::vector<double> rows;              ///< [B, N, no]
};

inline ReferenceOutputs reference_outputs(const network::NetworkAndWeights& net,
                                          const std::vector<float>& images, int batch, int height,
                                          int width) {
  reference::Tensors tensors;
  for (const auto& [name, tensor] : net.weights.entries()) tensors[name] = tensor.to_doubles();
  reference::Map input(batch, 3, height, width);
  input.values.assign(images.begin(), images.end());
  const auto levels = reference::Interpreter(net.network, tensors).run(input, false);
  ReferenceOutputs outputs;
  for (std::size_t j = 0; j < levels.size(); ++j)
    outputs.raw.push_back(
        reference::by_cell(levels[j], static_cast<int>(net.network.levels[j].anchors.size())));
  outputs.rows = reference::decode(net.network, levels);
  return outputs;
}

}  // namespace yolov7::testing
