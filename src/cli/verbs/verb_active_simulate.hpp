#pragma once
// yolov7 active simulate; see verb.hpp.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verb.hpp"

namespace yolov7::cli {

nlohmann::json run_active_simulate(const std::vector<std::string>&, Output&);

}  // namespace yolov7::cli
