#pragma once
// stats.html of `dataset stats`: one page, no script, nothing from outside.
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace yolov7::monitoring {

/// `result`: what the verb prints with --json. Advice first, then a table for each subject, with
/// bars for the shares of a column.
std::string stats_report(const nlohmann::json& result);

}  // namespace yolov7::monitoring
