#include "cli/interval_json.hpp"

#include <nlohmann/json.hpp>

namespace yolov7::cli {

nlohmann::json interval_json(const evaluation::Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

}  // namespace yolov7::cli
