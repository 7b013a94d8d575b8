#include "compression/plan/channel_ranges.hpp"

#include <algorithm>
#include <cmath>

#include "core/threads.hpp"
#include "network/graph/links.hpp"

namespace yolov7::compression {
namespace {

std::size_t place(int value) { return static_cast<std::size_t>(value); }

}  // namespace

float negative_weight(const network::Activation& activation) {
  const bool leaky = activation.kind == network::ActivationKind::leaky_relu && activation.slope > 0;
  return leaky ? static_cast<float>((1 + 1 / activation.slope) / 2) : 1;
}

void ChannelRanges::add(const runtime::StreamedValue& value, float negative) {
  Sums& sums = sums_[value.number];
  const std::size_t channels = place(value.channels),
                    pixels = place(value.height) * place(value.width);
  sums.largest.resize(channels, 0);
  sums.images += 1;
  parallel_for(channels, usable_cores(), [&](std::size_t channel) {
    float most = 0;
    for (const float x : value.values.subspan(channel * pixels, pixels))
      most = std::max(most, x < 0 ? -x * negative : x);
    sums.largest[channel] += static_cast<double>(most);
  });
}

std::map<int, std::vector<double>> ChannelRanges::means() const {
  std::map<int, std::vector<double>> all;
  for (const auto& [value, sums] : sums_)
    for (const double sum : sums.largest) all[value].push_back(sum / sums.images);
  return all;
}

network::ChannelFactors channel_factors(const network::Network& network,
                                        const std::map<int, std::vector<double>>& ranges,
                                        double strength) {
  const std::vector<int> groups = network::scale_groups(network);
  std::map<int, double> largest;  // by group
  for (const auto& [value, channels] : ranges)
    for (const double range : channels) {
      double& most = largest[groups[place(value)]];
      most = std::max(most, range);
    }
  network::ChannelFactors factors(place(network.value_count));
  for (const auto& [value, channels] : ranges)
    for (const double range : channels) {
      const double most = largest[groups[place(value)]];
      const double factor =
          range > 0 ? std::min(std::pow(most / range, strength), most_channel_factor) : 1;
      factors[place(value)].push_back(static_cast<float>(factor));
    }
  return factors;
}

std::shared_ptr<const network::NetworkAndWeights> equalized(
    const std::shared_ptr<const network::NetworkAndWeights>& fused, const CalibrationImages& images,
    const CalibrationOptions& options) {
  const std::vector<int> values = network::scalable_values(fused->network);
  if (values.empty() || options.equalization == 0 || options.known) return fused;
  const network::Links links(fused->network);
  ChannelRanges ranges;
  look_at_values(fused, images, {"calibration: channels", values, options.memory, options.stop},
                 [&](std::size_t, const runtime::StreamedValue& value) {
                   const auto& maker = *links.producer(value.number);
                   ranges.add(value, negative_weight(maker.as<network::Activate>()->activation));
                 });
  return std::make_shared<const network::NetworkAndWeights>(network::with_channel_factors(
      *fused, channel_factors(fused->network, ranges.means(), options.equalization)));
}

}  // namespace yolov7::compression
