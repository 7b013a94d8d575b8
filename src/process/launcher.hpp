#pragma once
// Starts this program several times on this machine, as torchrun does for Python programs.
#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace yolov7::process {

/// `count` processes with the same arguments (verb included), which learn who they are from
/// torchrun's variables (run/world.hpp). Only rank 0 writes to stdout. A stop is passed on
/// as SIGTERM. Where one ends badly the others have `grace` to end by themselves. Returns 0 if all
/// did well, 130 or 2 if all that failed were interrupted or wrongly called, else 1, and says which
/// one was ended by a signal.
ExitCode launch(int count, const std::vector<std::string>& arguments, std::chrono::seconds grace,
                const std::stop_token& stop = {});

}  // namespace yolov7::process
