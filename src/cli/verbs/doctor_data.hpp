#pragma once
// What `yolov7 doctor --data` measures: how long an epoch takes, and how large a batch may be.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

struct DoctorOptions {
  run::TrainOptions train;  ///< of the training that is asked about
  std::vector<std::string> networks;
  double seconds = 20, hours = 12;
};

/// Measured networks, those that are estimated by their operations, and advice. Errors: as reading
/// data and configurations; the training library is missing.
nlohmann::json data_facts(const DoctorOptions& options, const std::vector<std::string>& given);
void print_data(const nlohmann::json& facts, const Output& output);

}  // namespace yolov7::cli
