#pragma once
// report.html of `dataset check`: one page, no script, nothing from outside.
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace yolov7::monitoring {

/// `result`: what the verb prints with --json. Splits and classes, the checks with their counts,
/// the findings of each check (the first 100), causes, boxes that the network cannot learn.
std::string check_report(const nlohmann::json& result);

}  // namespace yolov7::monitoring
