#include "runtime/openvino/cpu_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/error.hpp"

namespace yolov7::runtime {

ov::element::Type precision_type(const std::string& precision) {
  if (precision == "float32") return ov::element::f32;
  if (precision == "bfloat16") return ov::element::bf16;
  throw usage_error(fmt::format("precision: expected float32 or bfloat16, found '{}'", precision));
}

void require_bfloat16(const ov::Core& core) {
  const auto known = core.get_property("CPU", ov::device::capabilities);
  if (std::find(known.begin(), known.end(), ov::device::capability::BF16) == known.end())
    throw Error(
        "precision bfloat16: expected a CPU with AVX512_BF16 or AMX, found none; use float32");
}

/// One call at a time on all cores is what LATENCY means, several on shares of them THROUGHPUT. The
/// precision is always given because the silent default is bf16. Pinned threads of two detectors,
/// or of a detector and a loader, would wait for each other on the same cores.
ov::AnyMap cpu_properties(const DetectorOptions& options, int threads) {
  ov::AnyMap map{ov::hint::inference_precision(precision_type(options.precision)),
                 ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false)};
  if (options.streams > 1) {
    map.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::THROUGHPUT));
    map.insert(ov::num_streams(options.streams));
  } else {
    map.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY));
  }
  return map;
}

}  // namespace yolov7::runtime
