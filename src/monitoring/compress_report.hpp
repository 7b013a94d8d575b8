#pragma once
// report.html of `compress`: one page, no script, nothing from outside.
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace yolov7::monitoring {

/// `result`: what the verb prints with --json. What was chosen and why, every candidate with size,
/// times, mAP and its interval, AP by class, integers next to bfloat16, the stages with their
/// commands.
std::string compress_report(const nlohmann::json& result);

}  // namespace yolov7::monitoring
