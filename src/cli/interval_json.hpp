#pragma once
// An interval of a figure, as verbs print it with --json.
#include <nlohmann/json.hpp>

#include "evaluation/bootstrap.hpp"

namespace yolov7::cli {

inline nlohmann::json interval_json(const evaluation::Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

}  // namespace yolov7::cli
