#include "compression/plan/bias_correction.hpp"

#include <algorithm>

#include "compression/plan/window_sums.hpp"
#include "core/threads.hpp"

namespace yolov7::compression {
namespace {

using network::ActivationNumbers;
using network::Convolution;

std::size_t size(int n) { return static_cast<std::size_t>(n); }

bool same_window(const Convolution& a, const Convolution& b) {
  return a.kernel_h == b.kernel_h && a.kernel_w == b.kernel_w && a.stride == b.stride &&
         a.pad_h == b.pad_h && a.pad_w == b.pad_w && a.dilation == b.dilation;
}

/// Σ weight · real − quantized weight · quantized input, for each output channel.
std::vector<float> correction(const Convolution& conv, const std::vector<float>& weights,
                              const network::QuantizedWeight& numbers,
                              const std::vector<double>& real, const std::vector<double>& quantized,
                              double positions) {
  const std::size_t window = size(conv.kernel_h * conv.kernel_w),
                    inputs = size(conv.in_channels / conv.groups),
                    outputs = size(conv.out_channels) / size(conv.groups);
  std::vector<float> result;
  for (std::size_t o = 0; o < size(conv.out_channels); ++o) {
    const std::size_t from = o / outputs * inputs * window;  // of the group's inputs
    double sum = 0;
    for (std::size_t i = 0; i < inputs * window; ++i) {
      const std::size_t at = o * inputs * window + i;
      const double stored = static_cast<double>(numbers.scales[o]) * numbers.numbers[at];
      sum += static_cast<double>(weights[at]) * real[from + i] - stored * quantized[from + i];
    }
    result.push_back(static_cast<float>(sum / positions));
  }
  return result;
}

}  // namespace

InputMeans::InputMeans(const network::NetworkAndWeights& fused,
                       const network::QuantizationScales& scales)
    : fused_(fused), scales_(scales) {
  for (const network::Operation& op : fused.network.operations) {
    const Convolution* conv = op.as<Convolution>();
    const auto all = network::quantizable_convolutions(fused.network);
    if (conv == nullptr || std::find(all.begin(), all.end(), conv) == all.end()) continue;
    readers_.push_back({*conv, op.inputs[0], sums_for(op.inputs[0], *conv)});
  }
}

std::size_t InputMeans::sums_for(int value, const Convolution& conv) {
  for (std::size_t i = 0; i < sums_.size(); ++i)
    if (value_of_[i] == value && same_window(sums_[i].shape, conv)) return i;
  const std::size_t count = size(conv.in_channels * conv.kernel_h * conv.kernel_w);
  const std::vector<double> zeros(count, 0);
  sums_.push_back({conv, zeros, zeros, zeros, 0});
  value_of_.push_back(value);
  return sums_.size() - 1;
}

std::vector<int> InputMeans::values() const {
  std::vector<int> all = value_of_;
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Each channel by one thread, so that sums do not depend on their number.
void InputMeans::add(const runtime::StreamedValue& value) {
  const network::ValueScale& scale = scales_.values.at(size(value.number));
  const std::size_t pixels = size(value.height) * size(value.width);
  std::vector<Sums*> wanted;
  for (std::size_t i = 0; i < sums_.size(); ++i)
    if (value_of_[i] == value.number) wanted.push_back(&sums_[i]);
  for (Sums* one : wanted) {
    const WindowPositions out = positions(one->shape, value.height, value.width);
    one->positions += 1.0 * out.rows * out.columns;
  }
  parallel_for(size(value.channels), usable_cores(), [&](std::size_t channel) {
    const std::span<const float> real = value.values.subspan(channel * pixels, pixels);
    std::vector<float> asymmetric(pixels), symmetric(pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
      asymmetric[i] = network::quantized(real[i], scale, ActivationNumbers::asymmetric);
      symmetric[i] = network::quantized(real[i], scale, ActivationNumbers::symmetric);
    }
    for (Sums* one : wanted) {
      const std::size_t window = size(one->shape.kernel_h * one->shape.kernel_w);
      const auto part = [&](std::vector<double>& all) {
        return std::span(all).subspan(channel * window, window);
      };
      const auto plane = [&](std::span<const float> values) {
        return Plane{values, value.height, value.width};
      };
      add_window_sums(plane(real), one->shape, part(one->real));
      add_window_sums(plane(asymmetric), one->shape, part(one->asymmetric));
      add_window_sums(plane(symmetric), one->shape, part(one->symmetric));
    }
  });
}

std::map<std::string, network::BiasCorrection> InputMeans::corrections() const {
  std::map<std::string, network::BiasCorrection> all;
  for (const Reader& reader : readers_) {
    const Sums& sums = sums_[reader.sums];
    if (!(sums.positions > 0)) continue;
    const network::Tensor& tensor = fused_.weights.at(reader.conv.tensor + ".weight");
    const std::vector<float> weights = tensor.to_floats();
    const network::QuantizedWeight numbers =
        network::quantized_weight(tensor, reader.conv.out_channels, scales_.per_tensor);
    all[reader.conv.tensor] = {
        correction(reader.conv, weights, numbers, sums.real, sums.asymmetric, sums.positions),
        correction(reader.conv, weights, numbers, sums.real, sums.symmetric, sums.positions)};
  }
  return all;
}

}  // namespace yolov7::compression
