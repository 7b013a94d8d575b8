#pragma once
// An interval of a figure, as verbs print it with --json.
#include <nlohmann/json_fwd.hpp>

#include "evaluation/bootstrap.hpp"

namespace yolov7::cli {

nlohmann::json interval_json(const evaluation::Interval& interval);

}  // namespace yolov7::cli
