#pragma once
// The scales that a network was trained with, as the text that its checkpoint holds
// (docs/checkpoint-format.md).
#include <string>

#include "network/transform/quantization.hpp"

namespace yolov7::network {

/// `activation_bits`: what experiments have less than 8 of.
struct StoredRanges {
  QuantizationScales scales;
  int activation_bits = 8;
};

/// JSON. `network` is folded, and the scales are its own; corrections of biases are left out.
std::string stored_ranges_text(const Network& network, const StoredRanges& ranges);

/// Back, for the same network. Errors name `source`: no such text; values that are not those that
/// have a scale in this network; scales that are not above 0, zero points out of range.
StoredRanges stored_ranges(const std::string& text, const Network& network,
                           const std::string& source);

}  // namespace yolov7::network
