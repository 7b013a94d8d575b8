#pragma once
// How a value of a network is called in its OpenVINO model, where names are asked for.
#include <fmt/format.h>

#include <string>

namespace yolov7::runtime {

/// `number`: as lower_detector(network, height, width, false) counts them.
inline std::string value_name(int number) { return fmt::format("value {}", number); }

}  // namespace yolov7::runtime
