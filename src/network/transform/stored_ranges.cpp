#include "network/transform/stored_ranges.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"

namespace yolov7::network {
namespace {

std::size_t place(int value) { return static_cast<std::size_t>(value); }

ValueScale scale_of(const nlohmann::json& json, const std::string& source, int value) {
  ValueScale scale{json.at("scale").get<float>(), json.at("zero_point").get<int>(),
                   json.at("symmetric").get<float>(), json.at("most").get<int>()};
  const auto above_zero = [](float x) { return x > 0 && std::isfinite(x); };
  if (!above_zero(scale.scale) || !above_zero(scale.symmetric) || scale.most < 1 ||
      scale.most > 255 || scale.zero_point < 0 || scale.zero_point > scale.most)
    throw Error(fmt::format(
        "{}: ranges: value {}: expected scales above 0 and a zero point of 0 to at most 255, found "
        "{}, {} and {} of {}",
        source, value, scale.scale, scale.symmetric, scale.zero_point, scale.most));
  return scale;
}

}  // namespace

std::string stored_ranges_text(const Network& network, const StoredRanges& ranges) {
  nlohmann::json values = nlohmann::json::array();
  for (const int value : calibrated_values(network)) {
    const ValueScale& scale = ranges.scales.values.at(place(value));
    values.push_back({{"value", value},
                      {"scale", scale.scale},
                      {"zero_point", scale.zero_point},
                      {"symmetric", scale.symmetric},
                      {"most", scale.most}});
  }
  return json_text({{"activation_bits", ranges.activation_bits},
                    {"per_tensor", ranges.scales.per_tensor},
                    {"values", values}});
}

StoredRanges stored_ranges(const std::string& text, const Network& network,
                           const std::string& source) {
  const nlohmann::json json = parse_json(text, source + ": ranges");
  StoredRanges ranges;
  try {
    ranges.activation_bits = json.at("activation_bits").get<int>();
    ranges.scales.per_tensor = json.at("per_tensor").get<bool>();
    ranges.scales.values.assign(place(network.value_count), {});
    const std::vector<int> wanted = calibrated_values(network), groups = scale_groups(network);
    const nlohmann::json& values = json.at("values");
    std::vector<int> found;
    for (const nlohmann::json& one : values) found.push_back(one.at("value").get<int>());
    if (found != wanted)
      throw Error(fmt::format(
          "{}: ranges: expected those of the {} values of this network that have one, found {} "
          "others: the network was changed after its training",
          source, wanted.size(), found.size()));
    const Quantization all = make_quantization(network, {}, {});
    for (const nlohmann::json& one : values) {
      const int number = one.at("value").get<int>();
      const ValueScale scale = scale_of(one, source, number);
      ranges.scales.values[place(number)] = scale;
      if (all.role(number) == ValueRole::inner) continue;
      for (int value = 0; value < network.value_count; ++value)
        if (groups[place(value)] == groups[place(number)])
          ranges.scales.values[place(value)] = scale;
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(
        fmt::format("{}: expected the ranges of a quantized network: {}", source, error.what()));
  }
  return ranges;
}

}  // namespace yolov7::network
