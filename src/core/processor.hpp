#pragma once
// What this machine says of its processor: a time means nothing without it.
#include <string>
#include <string_view>

namespace yolov7 {

/// The value of the first line of /proc/cpuinfo that begins with `key` ("model name"); "unknown"
/// where there is none.
std::string processor_fact(std::string_view key);

}  // namespace yolov7
