#pragma once
// How OpenVINO runs networks on the CPU. Included where OpenVINO is.
#include <map>
#include <string>

#include "runtime/detector.hpp"

namespace ov {
class Any;
class Core;
namespace element {
class Type;
}
}  // namespace ov

namespace yolov7::runtime {

/// "float32" or "bfloat16". Error: another.
ov::element::Type precision_type(const std::string& precision);
/// Error: this processor has none.
void require_bfloat16(const ov::Core& core);
std::map<std::string, ov::Any> cpu_properties(const DetectorOptions& options, int threads);

}  // namespace yolov7::runtime
