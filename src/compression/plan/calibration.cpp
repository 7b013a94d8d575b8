#include "compression/plan/calibration.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>

#include "compression/plan/bias_correction.hpp"
#include "core/error.hpp"
#include "core/threads.hpp"
#include "network/graph/links.hpp"

namespace yolov7::compression {
namespace {

using network::ActivationKind;
using runtime::StreamedValue;

std::size_t place(int value) { return static_cast<std::size_t>(value); }

double activated(const network::Activation& activation, double x) {
  switch (activation.kind) {
    case ActivationKind::identity: return x;
    case ActivationKind::silu: return x / (1 + std::exp(-x));
    case ActivationKind::relu: return std::max(x, 0.0);
    case ActivationKind::leaky_relu: return x < 0 ? activation.slope * x : x;
    case ActivationKind::relu6: return std::clamp(x, 0.0, 6.0);
    case ActivationKind::sigmoid: return 1 / (1 + std::exp(-x));
  }
  throw Error("unknown activation");
}

class Calibration {
 public:
  Calibration(const std::shared_ptr<const network::NetworkAndWeights>& fused,
              const CalibrationImages& images, const CalibrationOptions& options)
      : fused_(fused), images_(images), options_(options) {}

  network::QuantizationScales run() {
    network::QuantizationScales scales;
    if (options_.known) {
      scales = *options_.known;
      if (!options_.inner) return scales;
      look_at_ranges(inner_values());
      choose_inner(scales, inner_values());
      return scales;
    }
    scales.per_tensor = options_.per_tensor;
    look_at_ranges(network::calibrated_values(network()));
    choose(scales);
    if (!options_.correct_biases) return scales;
    InputMeans means(*fused_, scales);
    pass("calibration: biases", means.values(),
         [&](std::size_t, const StreamedValue& value) { means.add(value); });
    scales.corrections = means.corrections();
    return scales;
  }

 private:
  const network::Network& network() const { return fused_->network; }

  void pass(const char* label, const std::vector<int>& values,
            const std::function<void(std::size_t, const StreamedValue&)>& look) {
    look_at_values(fused_, images_, {label, values, options_.memory, options_.stop}, look);
  }

  void look_at_ranges(const std::vector<int>& values) {
    pass("calibration: ranges", values, [&](std::size_t image, const StreamedValue& value) {
      try {
        histograms_[value.number].add(value.values);
      } catch (const Error& error) {
        throw Error(fmt::format("calibration: {}: layer {}: {}", images_.name(image),
                                layer_of(value.number), error.what()));
      }
    });
  }

  std::vector<int> inner_values() const {
    const network::Quantization all = network::make_quantization(network(), {}, {});
    std::vector<int> values = network::calibrated_values(network());
    std::erase_if(values, [&](int value) { return all.role(value) != network::ValueRole::inner; });
    return values;
  }

  int layer_of(int value) const {
    const network::Operation* maker = network::Links(network()).producer(value);
    return maker != nullptr ? maker->layer : -1;
  }

  /// One scale for each group of values, by all that is added to it; the image's is known before.
  void choose(network::QuantizationScales& scales) {
    scales.values.assign(place(network().value_count), {});
    const std::vector<int> groups = network::scale_groups(network());
    const network::Quantization all = network::make_quantization(network(), {}, {});
    std::map<int, std::vector<int>> of_group;  // calibrated values
    for (const auto& [value, histogram] : histograms_)
      if (all.role(value) != network::ValueRole::inner)
        of_group[groups[place(value)]].push_back(value);
    for (const auto& [group, values] : of_group) {
      Histogram sum;
      for (const int value : values) sum.add(histograms_[value]);
      const bool image_alone = values.size() == 1 && values[0] == 0;
      const network::ValueScale scale =
          image_alone ? image_scale() : best_scale(sum, options_.method, {}, options_.most);
      for (int value = 0; value < network().value_count; ++value)
        if (groups[place(value)] == group) scales.values[place(value)] = scale;
    }
    choose_inner(scales, inner_values());
  }

  void choose_inner(network::QuantizationScales& scales, const std::vector<int>& inner) {
    const network::Links links(network());
    const network::Quantization usual =
        network::make_quantization(network(), {}, network::result_convolutions(network()));
    const std::vector<network::ValueScale> known = scales.values;
    parallel_for(inner.size(), usable_cores(), [&](std::size_t i) {
      const network::Operation& reader = *links.only_reader<network::Activate>(inner[i]);
      const network::Activation activation = reader.as<network::Activate>()->activation;
      AfterQuantization after{[activation](double x) { return activated(activation, x); }, {}};
      if (usual.role(reader.output) == network::ValueRole::quantized)
        after.result = known[place(reader.output)];
      scales.values[place(inner[i])] = best_scale(histograms_.at(inner[i]), options_.method, after);
    });
  }

  /// Bytes are exact.
  static network::ValueScale image_scale() { return {1.0F / 255, 0, 1.0F / 127}; }

  const std::shared_ptr<const network::NetworkAndWeights>& fused_;
  const CalibrationImages& images_;
  const CalibrationOptions& options_;
  std::map<int, Histogram> histograms_;
};

}  // namespace

network::QuantizationScales calibrate(
    const std::shared_ptr<const network::NetworkAndWeights>& fused, const CalibrationImages& images,
    const CalibrationOptions& options) {
  if (images.count == 0) throw Error("calibration: expected images, found none");
  return Calibration(fused, images, options).run();
}

}  // namespace yolov7::compression
