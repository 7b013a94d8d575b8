#include "compression/plan/reconstruction.hpp"

#include <algorithm>
#include <map>

#include "compression/plan/window_sums.hpp"
#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "runtime/openvino/value_stream.hpp"

namespace yolov7::compression {
namespace {

using network::Convolution;
using network::Operation;
using runtime::StreamedValue;

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// Pixel k of `count` that are spread over `all`. The step is no whole number of rows for most
/// sizes, so that columns change, too.
std::size_t spread(std::size_t k, std::size_t count, std::size_t all) { return k * all / count; }

LinearRows rows_of(const Convolution& conv, const network::QuantizedWeight& weight,
                   const std::vector<float>& bias) {
  LinearRows rows{
      size(conv.out_channels), size(conv.in_channels * conv.kernel_h * conv.kernel_w), {}};
  rows.numbers.resize(rows.outputs * rows.width());
  for (std::size_t o = 0; o < rows.outputs; ++o) {
    rows.row(o)[0] = static_cast<double>(bias[o]);
    for (std::size_t i = 0; i < rows.inputs; ++i)
      rows.row(o)[i + 1] =
          static_cast<double>(weight.scales[o]) * weight.numbers[o * rows.inputs + i];
  }
  return rows;
}

LinearRows rows_of(const Convolution& conv, const network::Weights& weights) {
  const std::vector<double> weight = weights.at(conv.tensor + ".weight").to_doubles();
  std::vector<double> bias(size(conv.out_channels), 0);
  if (conv.bias) bias = weights.at(conv.tensor + ".bias").to_doubles();
  LinearRows rows{bias.size(), weight.size() / bias.size(), {}};
  for (std::size_t o = 0; o < rows.outputs; ++o) {
    rows.numbers.push_back(bias[o]);
    const auto from = weight.begin() + static_cast<std::ptrdiff_t>(o * rows.inputs);
    rows.numbers.insert(rows.numbers.end(), from, from + static_cast<std::ptrdiff_t>(rows.inputs));
  }
  return rows;
}

/// The output of the float32 convolution at the same pixels.
std::vector<float> output_samples(const StreamedValue& value, std::size_t count) {
  const std::size_t pixels = size(value.height) * size(value.width);
  std::vector<float> all(size(value.channels) * count);
  for (std::size_t c = 0; c < size(value.channels); ++c)
    for (std::size_t k = 0; k < count; ++k)
      all[c * count + k] = value.values[c * pixels + spread(k, count, pixels)];
  return all;
}

class Reconstruction {
 public:
  Reconstruction(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                 network::Quantization& plan, const CalibrationImages& images,
                 const ReconstructionOptions& options)
      : fused_(fused), plan_(plan), images_(images), options_(options) {
    used_ = images_of_fit(images.count, options);
    if (used_.size() < 2) throw Error("reconstruction: expected two images at least");
  }

  std::vector<FittedLayer> run() {
    auto all = waves(fused_->network);
    for (auto& wave : all)
      std::erase_if(wave, [&](const Operation* op) {
        const Convolution& conv = *op->as<Convolution>();
        return conv.groups != 1 || !plan_.quantizes(conv);
      });
    std::erase_if(all, [](const auto& wave) { return wave.empty(); });
    Progress progress("reconstruction", plan_.convolutions.size(), "convolution");
    for (const auto& wave : all) {
      sample(wave);
      for (const Operation* op : wave) {
        check_stop(options_.stop);
        fit(*op->as<Convolution>());
        progress.advance(1, op->as<Convolution>()->tensor);
      }
    }
    progress.finish();
    return std::move(layers_);
  }

 private:
  struct Samples {
    SampleSums fitted, held_out;
  };

  /// Of the quantized network as it is by now, and of the float32 one.
  void sample(const std::vector<const Operation*>& wave) {
    std::vector<int> inputs, outputs;
    samples_.clear();
    for (const Operation* op : wave) {
      const Convolution& conv = *op->as<Convolution>();
      const SampleSums none(size(conv.in_channels * conv.kernel_h * conv.kernel_w),
                            size(conv.out_channels));
      samples_.emplace(conv.tensor, Samples{none, none});
      inputs.push_back(op->inputs[0]), outputs.push_back(op->output);
    }
    std::sort(inputs.begin(), inputs.end());
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
    const auto shared = std::make_shared<const network::Quantization>(plan_);
    const auto quantized = runtime::stream_values(fused_, inputs, images_.height, images_.width,
                                                  {shared, options_.numbers, false});
    const auto real = runtime::stream_values(fused_, outputs, images_.height, images_.width);
    std::vector<std::uint8_t> planes;
    for (std::size_t i = 0; i < used_.size(); ++i) {
      check_stop(options_.stop);
      images_.load(used_[i], planes);
      const runtime::PixelBatch batch{planes, 1, images_.height, images_.width};
      const auto in = quantized->run(batch), out = real->run(batch);
      for (std::size_t w = 0; w < wave.size(); ++w)
        for (const StreamedValue& value : in)
          if (value.number == wave[w]->inputs[0])
            add(*wave[w]->as<Convolution>(), value, out[w], i % options_.every == 0);
    }
  }

  void add(const Convolution& conv, const StreamedValue& in, const StreamedValue& out,
           bool held_out) {
    const std::size_t pixels = size(out.height) * size(out.width),
                      count = std::min(pixels, options_.samples / used_.size() + 1);
    Samples& samples = samples_.at(conv.tensor);
    (held_out ? samples.held_out : samples.fitted)
        .add(window_samples(conv, in, count), output_samples(out, count), count);
  }

  void fit(const Convolution& conv) {
    constexpr double strengths[] = {0.01, 0.1, 1};
    const Samples& samples = samples_.at(conv.tensor);
    const network::QuantizedWeight known = plan_.weight(conv, fused_->weights, options_.numbers);
    const std::vector<float> bias = plan_.bias(conv, fused_->weights, options_.numbers);
    FittedLayer layer{conv.tensor, samples.held_out.error(rows_of(conv, known, bias)), 0};
    layer.after = layer.before;
    const LinearRows start = rows_of(conv, fused_->weights);
    auto& fitted = options_.numbers == network::ActivationNumbers::symmetric
                       ? plan_.scales.fitted.symmetric
                       : plan_.scales.fitted.asymmetric;
    for (const double strength : strengths) {
      FittedRows rows(samples.fitted, start, strength);
      network::FittedConvolution one{{rows.round(known.scales), known.scales}, {}};
      const double error = samples.held_out.error(rows.rows());
      if (!(error < layer.after)) continue;
      layer.after = error;
      for (std::size_t o = 0; o < start.outputs; ++o)
        one.bias.push_back(static_cast<float>(rows.rows().row(o)[0]));
      fitted[conv.tensor] = std::move(one);
    }
    layers_.push_back(std::move(layer));
  }

  const std::shared_ptr<const network::NetworkAndWeights> fused_;
  network::Quantization& plan_;
  const CalibrationImages& images_;
  const ReconstructionOptions& options_;
  std::vector<std::size_t> used_;
  std::map<std::string, Samples> samples_;
  std::vector<FittedLayer> layers_;
};

}  // namespace

std::vector<std::size_t> images_of_fit(std::size_t count, const ReconstructionOptions& options) {
  const bool others_are_left = count >= options.images + options.every;
  std::vector<std::size_t> possible, all;
  for (std::size_t i = 0; i < count; ++i)
    if (others_are_left || i % options.every != options.every - 1) possible.push_back(i);
  const std::size_t used = std::min(possible.size(), options.images);
  for (std::size_t i = 0; i < used; ++i) all.push_back(possible[i * possible.size() / used]);
  return all;
}

std::vector<std::size_t> judging_images(std::size_t count, const ReconstructionOptions& options) {
  const std::vector<std::size_t> used = images_of_fit(count, options);
  std::vector<std::size_t> others, held_out;
  for (std::size_t i = 0; i < count; ++i)
    if (!std::binary_search(used.begin(), used.end(), i)) others.push_back(i);
  for (std::size_t i = 0; i < used.size(); i += options.every) held_out.push_back(used[i]);
  return others.empty() ? held_out : others;
}

std::vector<FittedLayer> reconstruct(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                                     network::Quantization& plan, const CalibrationImages& images,
                                     const ReconstructionOptions& options) {
  return Reconstruction(fused, plan, images, options).run();
}

std::vector<std::vector<const Operation*>> waves(const network::Network& network) {
  std::vector<std::size_t> depth(size(network.value_count), 0);
  std::vector<std::vector<const Operation*>> all;
  for (const Operation& op : network.operations) {
    std::size_t& own = depth[size(op.output)];
    for (const int input : op.inputs) own = std::max(own, depth[size(input)]);
    if (!op.is<Convolution>()) continue;
    if (all.size() <= own) all.resize(own + 1);
    all[own++].push_back(&op);
  }
  return all;
}

std::vector<float> window_samples(const Convolution& conv, const StreamedValue& value,
                                  std::size_t count) {
  const WindowPositions out = positions(conv, value.height, value.width);
  const std::size_t pixels = size(out.rows) * size(out.columns),
                    window = size(conv.kernel_h * conv.kernel_w);
  std::vector<float> all(size(conv.in_channels) * window * count, 0);
  parallel_for(size(conv.in_channels), usable_cores(), [&](std::size_t c) {
    const float* plane = value.values.data() + c * size(value.height) * size(value.width);
    for (std::size_t k = 0; k < count; ++k) {
      const auto pixel = static_cast<int>(spread(k, count, pixels));
      for (int i = 0; i < conv.kernel_h; ++i)
        for (int j = 0; j < conv.kernel_w; ++j) {
          const int y = pixel / out.columns * conv.stride + i * conv.dilation - conv.pad_h,
                    x = pixel % out.columns * conv.stride + j * conv.dilation - conv.pad_w;
          if (y >= 0 && y < value.height && x >= 0 && x < value.width)
            all[(c * window + size(i * conv.kernel_w + j)) * count + k] =
                plane[size(y) * size(value.width) + size(x)];
        }
    }
  });
  return all;
}

}  // namespace yolov7::compression
