#pragma once
// What `yolov7 doctor` says of the machine.
#include <nlohmann/json_fwd.hpp>

#include "cli/verb.hpp"

namespace yolov7::cli {

/// Processor, memory, GPUs, and the parts of the program that are there.
nlohmann::json machine_facts();
void print_machine(const nlohmann::json& facts, const Output& output);

}  // namespace yolov7::cli
